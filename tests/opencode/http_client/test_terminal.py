"""Output of a terminal becomes the text that a person would read, and the cursor counts as OpenCode does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.opencode.http_client.codec import HttpRequest
from opencode_mcp.opencode.http_client.terminal import (
    REPLAY_CHARACTERS,
    TerminalInput,
    TerminalOutput,
    contains,
    units,
    use_terminal,
)
from tests.harness.each import for_each


@for_each(
    ("raw", "text"),
    [
        ("\x1b[31mred\x1b[0m\r\n", "red\n"),
        ("\x1b]0;title\x07$ ls\r\n", "$ ls\n"),
        ("\x1b[?2004h$ ", "$ "),
        ("lsx\x08 \x08\r\n", "ls\n"),
        ("echo hi\r\n\x1b[?2004l\rhi\r\n", "echo hi\nhi\n"),
        ("10%\r20%\r\n", "10%\n20%\n"),
        ("a\x00b\x07c", "abc"),
        ("\x1b(Bplain", "plain"),
    ],
)
def test_control_characters_are_taken_out(raw: str, text: str) -> None:
    assert TerminalOutput(raw).text == text


@given(st.text())
def test_plain_text_holds_no_control_characters(raw: str) -> None:
    assert not set(TerminalOutput(raw).text) & {chr(code) for code in (*range(9), *range(11, 32), 127)}


@for_each(
    ("text", "wanted", "found"),
    [
        ("one two three", "two", True),
        ("one two three", "one*three", True),
        ("one two three", "three*one", False),
        ("aa", "a*a*a", False),
        ("anything", "*", True),
        ("anything", "nothing", False),
    ],
)
def test_a_star_matches_anything(text: str, wanted: str, found: bool) -> None:  # noqa: FBT001 - a row of a table
    assert contains(text, wanted) is found


@given(st.text())
def test_the_cursor_counts_utf_16_units(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


PIECE = "x" * 100_000


class EndlessTerminal:
    """A server's terminal that replays output without end, and never reports its position."""

    def __init__(self) -> None:
        self.sent = 0

    @asynccontextmanager
    async def websocket(self, request: HttpRequest) -> AsyncGenerator["EndlessTerminal"]:
        """Open at once."""
        assert request.path
        yield self

    async def send(self, text: str) -> None:
        """Nothing is typed before the replay has ended."""
        raise AssertionError(text)

    async def receive(self) -> str:
        """Always more."""
        await anyio.lowlevel.checkpoint()
        self.sent += len(PIECE)
        return PIECE


@pytest.mark.anyio
async def test_a_replay_without_end_is_given_up_before_it_takes_much_memory() -> None:
    terminal = EndlessTerminal()
    with pytest.raises(BackendTimeout, match="did not report the position of its output"):
        await use_terminal(terminal, HttpRequest(method="GET", path="/pty/pty_1/connect"), TerminalInput())
    assert terminal.sent <= REPLAY_CHARACTERS + len(PIECE)

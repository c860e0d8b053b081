"""Use a terminal once (``pty.connect``): type something, read the output, and disconnect.

OpenCode keeps a terminal's output and counts its characters (UTF-16 units). So a reader needs to remember only a
cursor, and no connection stays open. The module does not check who may use which terminal.
"""

import re
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio

from opencode_mcp.errors import BackendFailed, BackendTimeout
from opencode_mcp.text.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.opencode.http_client.codec import HttpRequest

NEW_ONLY = -1
"""Cursor that repeats no earlier output."""
OUTPUT_CHARACTERS = 40_000
"""Longest output of one call, in characters; the next call reads the rest from the cursor on."""
REPLAY_CHARACTERS = 8_000_000
"""Most characters that are read before OpenCode sends their end; it keeps two million per terminal."""
OPEN_TIMEOUT_SECONDS = 10.0
QUIET_SECONDS = 0.4
"""Seconds without output after which a terminal counts as done if no text is awaited."""
CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # A title.
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # Colours and cursor moves.
    r"|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
    r"|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]"
)
# The match does not start inside a row of carriage returns: each would search for the end of the row again.
BREAK = re.compile(r"(?<!\r)\r*\n\r*")


class Socket(Protocol):
    """Open WebSocket; ``web_socket.WebSocket`` is one."""

    async def send(self, text: str) -> None:
        """Send a text."""
        ...

    async def receive(self) -> str | bytes | None:
        """Wait for the next message; ``None`` if the socket is closed."""
        ...


class Opener(Protocol):
    """Object that opens a WebSocket, such as a ``Connection``."""

    def websocket(self, request: "HttpRequest") -> AbstractAsyncContextManager[Socket]:
        """Open it for the length of the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalInput:
    """Input and limits for one use of a terminal."""

    say: str = ""
    """Text to type; a carriage return ends a line."""
    await_text: str = ""
    """Read until this text is printed; ``*`` in it matches anything."""
    seconds: float = 10.0
    """Longest time to read, in seconds."""


@dataclass(slots=True)
class TerminalOutput:
    """Output of a terminal during one use."""

    raw: str = ""
    cursor: int = 0
    """Cursor from which the next call continues."""
    found: bool = False
    """True if the awaited text was printed."""
    exited: bool = False
    """True if the process has exited, and its terminal is gone."""
    cut: bool = False
    """True if more output is available from the cursor on."""

    @property
    def text(self) -> str:
        """Return the readable text, without colours, cursor moves and titles."""
        plain = BREAK.sub("\n", CONTROL.sub("", self.raw))
        return (_without_erased(plain) if "\x08" in plain else plain).replace("\r", "\n")


async def use_terminal(opener: Opener, request: "HttpRequest", plan: TerminalInput) -> TerminalOutput:
    """Connect to a terminal, type, read the output, and disconnect.

    Args:
        opener: Opens the WebSocket.
        request: ``pty.connect``, with the cursor to read from in its query.
        plan: Input and limits.

    Raises:
        BackendTimeout: OpenCode opened the terminal and then sent nothing.
        BridgeError: OpenCode refused the request: the terminal does not exist.
    """
    # An error inside the block would become an exception group, so it is raised after the block.
    async with opener.websocket(request) as socket:
        output = await _replayed(socket)
        if output is not None and not output.cut:
            await _live(socket, output, plan)
    if output is None:
        raise BackendTimeout("OpenCode opened the terminal and did not report the position of its output.")
    return output


async def _replayed(socket: Socket) -> TerminalOutput | None:
    """Read the output since the cursor; OpenCode marks its end with a binary message."""
    pieces: list[str] = []
    length = 0
    with anyio.move_on_after(OPEN_TIMEOUT_SECONDS):
        while length <= REPLAY_CHARACTERS:
            match await socket.receive():
                case None:
                    return _bounded(TerminalOutput("".join(pieces), exited=True))
                case str(piece):
                    pieces.append(piece)
                    length += len(piece)
                case bytes(mark):
                    return _bounded(TerminalOutput("".join(pieces), cursor=_cursor(mark)))
    return None


def _cursor(mark: bytes) -> int:
    """Return the cursor in OpenCode's binary message."""
    try:
        return int(cast("Mapping[str, Any]", read_json(mark[1:]))["cursor"])
    except (ValueError, TypeError, KeyError) as error:
        raise BackendFailed("OpenCode did not report the position of the terminal's output.") from error


def _bounded(output: TerminalOutput) -> TerminalOutput:
    rest = output.raw[OUTPUT_CHARACTERS:]
    if not rest:
        return output
    return replace(output, raw=output.raw[:OUTPUT_CHARACTERS], cursor=output.cursor - units(rest), cut=True)


async def _live(socket: Socket, output: TerminalOutput, plan: TerminalInput) -> None:
    """Type the input, then read until the awaited text is printed or no more output arrives."""
    before = len(output.raw)
    if plan.say:
        await socket.send(plan.say)
    elif _note_if_found(output, plan, 0):
        return
    start = before if plan.say else 0
    with anyio.move_on_after(plan.seconds):
        while not output.exited and not output.cut and not _note_if_found(output, plan, start):
            if not await _receive(socket, output, _timeout(plan, answered=len(output.raw) > before)):
                return


def _timeout(plan: TerminalInput, *, answered: bool) -> float:
    """Return the seconds to wait for more output: a short time if nothing more is expected."""
    expects_more = plan.await_text or (plan.say and not answered)
    return plan.seconds if expects_more else QUIET_SECONDS


async def _receive(socket: Socket, output: TerminalOutput, timeout: float) -> bool:
    """Read one message; return False if none arrived in time."""
    with anyio.move_on_after(timeout):
        message = await socket.receive()
        if message is None:
            output.exited = True
        elif isinstance(message, str):
            output.raw += message
            output.cursor += units(message)
            output.cut = len(output.raw) > OUTPUT_CHARACTERS
        return True
    return False


def _note_if_found(output: TerminalOutput, plan: TerminalInput, start: int) -> bool:
    """Note in the output if the awaited text was printed after ``start``, and return that."""
    if plan.await_text:
        printed = replace(output, raw=output.raw[start:]).text
        output.found = contains(printed, plan.await_text)
    return output.found


def contains(text: str, wanted: str) -> bool:
    """Return True if a text contains another, in which ``*`` matches anything; a regular expression can be too slow."""
    at = 0
    for piece in wanted.split("*"):
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def _without_erased(text: str) -> str:
    """Remove backspaces, each with the character before it on its line."""
    kept: list[str] = []
    for character in text:
        if character != "\x08":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units, which OpenCode's cursor counts."""
    return len(text) + sum(character > "\uffff" for character in text)

"""One visit to a terminal (``pty.connect``): say something, read what it prints, and leave.

OpenCode keeps a terminal's output and counts its characters (UTF-16 units), so a cursor is all that a reader must
remember, and no connection outlives a visit. It knows nothing of who may visit what.
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

    from opencode_mcp.opencode.codec import Request

NEW_ONLY = -1
"""The cursor that replays nothing."""
LONGEST = 40_000
"""Characters of one visit; the rest is there for the next, from the cursor on."""
MOST_REPLAYED = 8_000_000
"""Characters that are taken before OpenCode says where they end; it keeps two million of a terminal."""
OPENING = 10.0
QUIET = 0.4
"""Seconds without output after which a terminal that nothing is expected of counts as done."""
CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a title
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor moves
    r"|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
    r"|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]"
)
# Not from within a row of carriage returns: each of them would look for the end of the row anew.
BREAK = re.compile(r"(?<!\r)\r*\n\r*")


class Socket(Protocol):
    """An open WebSocket, as ``transport.Socket`` is."""

    async def send(self, text: str) -> None:
        """Send a text."""
        ...

    async def receive(self) -> str | bytes | None:
        """Wait for the next message; ``None``: closed."""
        ...


class Opener(Protocol):
    """What opens a WebSocket: a ``Connection``."""

    def websocket(self, request: "Request") -> AbstractAsyncContextManager[Socket]:
        """Open it for the length of the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What to do at a terminal."""

    say: str = ""
    """What is typed; a carriage return ends a line."""
    await_text: str = ""
    """Read until this is printed; ``*`` in it stands for anything."""
    seconds: float = 10.0
    """Read no longer than so many seconds."""


@dataclass(slots=True)
class Output:
    """What a terminal printed during a visit."""

    raw: str = ""
    cursor: int = 0
    """Where the next visit goes on."""
    found: bool = False
    """Whether the awaited text came."""
    exited: bool = False
    """Whether the process is gone, and its terminal with it."""
    cut: bool = False
    """Whether there is more from the cursor on already."""

    @property
    def text(self) -> str:
        """What a person would read: without colours, cursor moves and titles."""
        plain = BREAK.sub("\n", CONTROL.sub("", self.raw))
        return (_without_erased(plain) if "\x08" in plain else plain).replace("\r", "\n")


async def visit(opener: Opener, request: "Request", plan: Visit) -> Output:
    """Visit a terminal.

    Args:
        opener: Opens the WebSocket.
        request: ``pty.connect``, with the cursor to read from in its query.
        plan: What to do there.

    Raises:
        BackendTimeout: OpenCode opened the terminal and then said nothing.
        BridgeError: OpenCode refused it: there is no such terminal.
    """
    # An error inside the block would leave it in an exception group, so what happened is told after it.
    async with opener.websocket(request) as socket:
        output = await _replayed(socket)
        if output is not None and not output.cut:
            await _live(socket, output, plan)
    if output is None:
        raise BackendTimeout("OpenCode opened the terminal and did not say where its output stands.")
    return output


async def _replayed(socket: Socket) -> Output | None:
    """Read what was printed since the cursor, and where that ends: OpenCode says so in a binary message."""
    pieces: list[str] = []
    length = 0
    with anyio.move_on_after(OPENING):
        while length <= MOST_REPLAYED:
            match await socket.receive():
                case None:
                    return _bounded(Output("".join(pieces), exited=True))
                case str(piece):
                    pieces.append(piece)
                    length += len(piece)
                case bytes(mark):
                    return _bounded(Output("".join(pieces), cursor=_cursor(mark)))
    return None


def _cursor(mark: bytes) -> int:
    """Where OpenCode's binary message says that the output stands."""
    try:
        return int(cast("Mapping[str, Any]", read_json(mark[1:]))["cursor"])
    except (ValueError, TypeError, KeyError) as error:
        raise BackendFailed("OpenCode did not say where the terminal's output stands.") from error


def _bounded(output: Output) -> Output:
    rest = output.raw[LONGEST:]
    if not rest:
        return output
    return replace(output, raw=output.raw[:LONGEST], cursor=output.cursor - units(rest), cut=True)


async def _live(socket: Socket, output: Output, plan: Visit) -> None:
    """Say what there is to say, and read on until what was awaited is there, or nothing more comes."""
    before = len(output.raw)
    if plan.say:
        await socket.send(plan.say)
    elif _found(output, plan, 0):
        return
    start = before if plan.say else 0
    with anyio.move_on_after(plan.seconds):
        while not output.exited and not output.cut and not _found(output, plan, start):
            patience = QUIET if not plan.await_text and (len(output.raw) > before or not plan.say) else plan.seconds
            if not await _receive(socket, output, patience):
                return


async def _receive(socket: Socket, output: Output, patience: float) -> bool:
    """Take one message; false: none came in time."""
    with anyio.move_on_after(patience):
        message = await socket.receive()
        if message is None:
            output.exited = True
        elif isinstance(message, str):
            output.raw += message
            output.cursor += units(message)
            output.cut = len(output.raw) > LONGEST
        return True
    return False


def _found(output: Output, plan: Visit, start: int) -> bool:
    if plan.await_text:
        printed = replace(output, raw=output.raw[start:]).text
        output.found = contains(printed, plan.await_text)
    return output.found


def contains(text: str, wanted: str) -> bool:
    """Whether a text holds another, in which ``*`` stands for anything; a regular expression could take for ever."""
    at = 0
    for piece in wanted.split("*"):
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def _without_erased(text: str) -> str:
    """Leave out backspaces, each with the character before it on its line."""
    kept: list[str] = []
    for character in text:
        if character != "\x08":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def units(text: str) -> int:
    """How far a text moves OpenCode's cursor: in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)

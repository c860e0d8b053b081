"""Looks at a file that is being read: tells text from what is none, and takes out of it only what is wanted.

Pure but for the pieces that it waits for. However large the file is, one piece and the wanted lines are held.
"""

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode_mcp.workspace.line_window import LineWindow
from opencode_mcp.workspace.pictures import picture_type

if TYPE_CHECKING:
    from opencode_mcp.workspace.files import OpenFile

SNIFFED = 8192
"""Bytes that are looked at to tell text from what is none, as git and ripgrep do."""
READ_ON = 16 * 1024 * 1024
"""Characters after the last wanted line that are read to count the lines."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is, and what was taken out of it; the lines are in the window."""

    is_text: bool
    media_type: str
    size: int
    """Bytes that were read; the whole file where ``whole`` says so."""
    whole: bool
    lines: int | None = None
    """How many it has; ``None`` where it was not read to the end."""
    spoiled: bool = False
    """Whether some of it is in no known encoding."""
    data: bytes = b""
    """The whole of a file that is no text, unless it is too large."""


async def look(file: "OpenFile", window: LineWindow, largest: int) -> Look:
    """Read as much of a file as it takes.

    Args:
        file: The file.
        window: Takes the lines of a text.
        largest: Bytes of a file that is no text that are kept.
    """
    first = await anext(file.pieces, b"")
    encoding = encoding_of(first)
    if encoding is None:
        return await _look_at_data(file, first, largest)
    return await _look_at_text(file, first, encoding, window)


def encoding_of(beginning: bytes) -> str | None:
    """The encoding of a text that begins so; ``None`` for what is no text."""
    for mark, name in MARKS:
        if beginning.startswith(mark):
            return name
    return None if b"\0" in beginning[:SNIFFED] or picture_type(beginning) else "utf-8"


async def _look_at_text(file: "OpenFile", first: bytes, encoding: str, window: LineWindow) -> Look:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    size, spoiled, piece = 0, False, first
    while piece and window.passed_since_full < READ_ON:
        size += len(piece)
        text = decoder.decode(piece)
        spoiled = spoiled or "\ufffd" in text
        window.add(text)
        piece = await anext(file.pieces, b"")
    if not piece:
        window.add(decoder.decode(b"", final=True))
    lines = None if piece else window.finish()
    media_type = file.media_type if file.media_type.startswith("text/") else "text/plain"
    return Look(is_text=True, media_type=media_type, size=size, whole=not piece, lines=lines, spoiled=spoiled)


async def _look_at_data(file: "OpenFile", first: bytes, largest: int) -> Look:
    data, piece = bytearray(), first
    while piece and len(data) <= largest:
        data += piece
        piece = await anext(file.pieces, b"")
    whole = not piece and len(data) <= largest
    return Look(
        is_text=False,
        media_type=picture_type(first) or file.media_type or "application/octet-stream",
        size=len(data),
        whole=whole,
        data=bytes(data) if whole else b"",
    )

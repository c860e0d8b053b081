"""Examine a file while it is read: distinguish text from binary data, and keep only the wanted lines.

Pure, except that it waits for the pieces of the file. Only one piece and the wanted lines are in memory, however large
the file is.
"""

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode_mcp.workspace.image_checks import image_type
from opencode_mcp.workspace.line_window import LineWindow

if TYPE_CHECKING:
    from opencode_mcp.workspace.files import OpenFile

SNIFFED_BYTES = 8192
"""Bytes that are examined to distinguish text from binary data, as git and ripgrep do."""
READ_ON_CHARACTERS = 16 * 1024 * 1024
"""Characters that are read after the last wanted line to count the lines."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class FileScan:
    """Kind of a file, and the data that was kept; the lines are in the window."""

    is_text: bool
    media_type: str
    size: int
    """Bytes that were read; the size of the file if ``whole`` is True."""
    whole: bool
    lines: int | None = None
    """Number of lines; ``None`` if the file was not read to its end."""
    spoiled: bool = False
    """True if a part of the file is in no known encoding."""
    data: bytes = b""
    """Content of a binary file, unless it is too large."""


async def scan_file(file: "OpenFile", window: LineWindow, largest: int) -> FileScan:
    """Read as much of a file as is needed.

    Args:
        file: The file.
        window: Collects the lines of a text.
        largest: Most bytes of a binary file that are kept.
    """
    first = await anext(file.pieces, b"")
    encoding = encoding_of(first)
    if encoding is None:
        return await _scan_data(file, first, largest)
    return await _scan_text(file, first, encoding, window)


def encoding_of(beginning: bytes) -> str | None:
    """Return the encoding of a text by its first bytes; ``None`` for binary data."""
    for mark, name in MARKS:
        if beginning.startswith(mark):
            return name
    return None if b"\0" in beginning[:SNIFFED_BYTES] or image_type(beginning) else "utf-8"


async def _scan_text(file: "OpenFile", first: bytes, encoding: str, window: LineWindow) -> FileScan:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    size, spoiled, piece = 0, False, first
    while piece and window.characters_after < READ_ON_CHARACTERS:
        size += len(piece)
        text = decoder.decode(piece)
        spoiled = spoiled or "\ufffd" in text
        window.add(text)
        piece = await anext(file.pieces, b"")
    if not piece:
        window.add(decoder.decode(b"", final=True))
    lines = None if piece else window.finish()
    media_type = file.media_type if file.media_type.startswith("text/") else "text/plain"
    return FileScan(is_text=True, media_type=media_type, size=size, whole=not piece, lines=lines, spoiled=spoiled)


async def _scan_data(file: "OpenFile", first: bytes, largest: int) -> FileScan:
    data, piece = bytearray(), first
    while piece and len(data) <= largest:
        data += piece
        piece = await anext(file.pieces, b"")
    whole = not piece and len(data) <= largest
    return FileScan(
        is_text=False,
        media_type=image_type(first) or file.media_type or "application/octet-stream",
        size=len(data),
        whole=whole,
        data=bytes(data) if whole else b"",
    )

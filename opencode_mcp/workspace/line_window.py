r"""Window of lines in a text of any length, which arrives in pieces and is never kept whole.

Pure. Lines end at ``\n`` alone, as in search results; a carriage return before it is removed.
"""

from dataclasses import dataclass, field

from opencode_mcp.text.json_text import json_size

NUMBERING_BYTES = 8
"""Bytes that the line number and the line end add to each line in the output."""


@dataclass(slots=True)
class LineWindow:
    """Wanted lines, collected piece by piece.

    Args:
        first: Number of the first line, from 1.
        count: Most lines.
        width: Most characters of a line that are kept.
        room: Most bytes of JSON of all kept lines together; the window keeps at least one line.
    """

    first: int
    count: int
    width: int
    room: int
    lines: list[str] = field(default_factory=list[str])
    full: bool = False
    line_ends: int = 0
    """Number of line ends so far."""
    characters_after: int = 0
    """Characters after the last line of the window."""
    _kept: str = ""
    _length: int = 0
    """Length of the line that has not ended yet."""
    _size: int = 0

    def add(self, piece: str) -> None:
        """Add the next piece of the text."""
        ends = piece.count("\n")
        if self.full or self.line_ends + ends + 1 < self.first:
            self.line_ends += ends
            self.characters_after += len(piece) if self.full else 0
            self._length = len(piece) - piece.rfind("\n") - 1 if ends else self._length + len(piece)
            return
        *whole, rest = piece.split("\n")
        for text in whole:
            self._grow(text)
            self._end_line()
        self._grow(rest)

    def finish(self) -> int:
        """Mark the end of the text, and return the number of its lines."""
        if self._length:
            self._end_line()
        return self.line_ends

    @property
    def last(self) -> int:
        """Return the number of the last line in the window."""
        return self.first + len(self.lines) - 1

    def _grow(self, text: str) -> None:
        self._length += len(text)
        room = self.width + 1 - len(self._kept)
        if room > 0 and not self.full and self.line_ends + 1 >= self.first:
            self._kept += text[:room]

    def _end_line(self) -> None:
        self.line_ends += 1
        if not self.full and self.line_ends >= self.first:
            self._keep()
        self._kept, self._length = "", 0

    def _keep(self) -> None:
        line = self._kept if self._length > self.width else self._kept.removesuffix("\r")
        cut = f"{line[: self.width]}… ({self._length} characters)" if len(line) > self.width else line
        self._size += json_size(cut) + NUMBERING_BYTES
        if self.lines and self._size > self.room:
            self.full = True
            return
        self.lines.append(cut)
        self.full = len(self.lines) == self.count

"""Query of a text search, and the page of its results.

Pure. A page is filled line by line and reports when it is full, so a search with a thousand matches costs only the
page.
"""

from collections import deque
from dataclasses import dataclass, field

from opencode_mcp.text.json_text import json_size
from opencode_mcp.workspace.line_window import NUMBERING_BYTES

FIELDS_BYTES = 30
"""Bytes that the field names of a match add to it."""
LITERAL_HINT = (
    "The syntax is Rust's, without look-around and backreferences; literal=true searches for the text itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuery:
    """Query of a text search."""

    pattern: str
    """A regular expression."""
    literal: bool = False
    """True if the pattern is plain text."""
    include: tuple[str, ...] = ()
    """Globs of the files to search; a glob with ``!`` excludes files."""
    context: int = 0
    """Lines to show before and after each match."""
    per_file: int = 0
    """Most matches of one file; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class FoundLine:
    """Line that matches, or that is near a match."""

    path: str
    number: int
    text: str
    matched: bool = True


@dataclass(slots=True)
class FoundPage:
    """Page of matches.

    Args:
        offset: Matches to skip.
        limit: Most matches.
        context: Lines around a match that belong to it.
        room: Bytes of JSON after which the page is full, whatever the limit; it contains at least one match. Context
            after the last match is left out if it would take a quarter more.
    """

    offset: int
    limit: int
    context: int = 0
    room: int = 1 << 60
    lines: list[FoundLine] = field(default_factory=list[FoundLine])
    taken: int = 0
    """Matches on the page."""
    more: bool = False
    """True if there are more matches."""
    seen: int = 0
    """Matches so far, skipped ones too."""
    _size: int = 0
    _before: deque[FoundLine] = field(default_factory=deque[FoundLine])
    _last: FoundLine | None = None

    @property
    def next_offset(self) -> int:
        """Return the offset of the next page."""
        return self.offset + self.taken

    def add(self, line: FoundLine) -> bool:
        """Add the next line of the results, and return True if more are wanted."""
        if not line.matched:
            self._add_context(line)
            return True
        self.seen += 1
        if self.seen <= self.offset:
            self._before.clear()
            return True
        if self.taken and (self.taken == self.limit or self._size + self._needs(line) > self.room):
            self.more = True
            return False
        self._take_context(line)
        self._keep(line)
        self.taken += 1
        self._last = line
        return True

    def _add_context(self, line: FoundLine) -> None:
        if self._last and line.path == self._last.path and line.number <= self._last.number + self.context:
            if self._size + _size(line) <= self.room * 5 // 4:
                self._keep(line)
        else:
            self._before.append(line)
            if len(self._before) > self.context:
                self._before.popleft()

    def _needs(self, match: FoundLine) -> int:
        return sum(map(_size, [*self._context_of(match), match]))

    def _context_of(self, match: FoundLine) -> list[FoundLine]:
        first = match.number - self.context
        return [line for line in self._before if line.path == match.path and line.number >= first]

    def _take_context(self, match: FoundLine) -> None:
        for line in self._context_of(match):
            self._keep(line)
        self._before.clear()

    def _keep(self, line: FoundLine) -> None:
        self.lines.append(line)
        self._size += _size(line)


def _size(line: FoundLine) -> int:
    return json_size(line.text) + (json_size(line.path) + FIELDS_BYTES if line.matched else NUMBERING_BYTES)

r"""Unified patches: read, shortened to a few lines around each change, put together one after another, written.

Pure, and it knows no OpenCode. A line of a file is kept with its end, so a last line without one stays so. Lines are
split at ``\n`` alone: a form feed or a carriage return is part of a line.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

CONTEXT = 3
"""Unchanged lines that are shown around a change."""
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
NO_NEWLINE = "\\ No newline at end of file"

Kind: TypeAlias = Literal[" ", "-", "+"]
Edit: TypeAlias = tuple[Kind, str]
"""A line that is kept, removed or added."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A stretch of a file with its changes."""

    old_start: int
    """Number of its first line before; of the line in front where it has none."""
    new_start: int
    edits: Sequence[Edit]


@dataclass(frozen=True, slots=True)
class Patch:
    """What happened to one file, or several such in a row."""

    header: Sequence[str]
    """The lines outside the hunks."""
    hunks: Sequence[Hunk]


def parse(text: str) -> Patch:
    """Read a patch; what belongs to no hunk is header, also between and after them."""
    header: list[str] = []
    hunks: list[Hunk] = []
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        opening = HUNK.match(lines[place])
        if opening is None:
            header.append(lines[place])
            place += 1
            continue
        edits, place = _read_edits(lines, place + 1, int(opening[2] or 1), int(opening[4] or 1))
        hunks.append(Hunk(int(opening[1]), int(opening[3]), edits))
    return Patch([line for line in header if line], hunks)


def _read_edits(lines: Sequence[str], place: int, old: int, new: int) -> tuple[list[Edit], int]:
    """Read as many lines as the hunk's opening names, since a removed ``-- x`` looks like a header."""
    edits: list[Edit] = []
    while place < len(lines):
        kind, text = lines[place][:1], lines[place][1:]
        if kind == "\\" and edits:
            edits[-1] = (edits[-1][0], edits[-1][1].removesuffix("\n"))
        elif (old <= 0 and new <= 0) or kind not in (" ", "-", "+"):
            break
        else:
            edits.append((cast("Kind", kind), f"{text}\n"))
            old, new = old - (kind != "+"), new - (kind != "-")
        place += 1
    return edits, place


def write(hunks: Iterable[Hunk]) -> str:
    """Write hunks, without a header."""
    return "".join(f"{_opening(hunk)}\n{''.join(map(_line, hunk.edits))}" for hunk in hunks)


def _opening(hunk: Hunk) -> str:
    old, new = count(hunk.edits, " -"), count(hunk.edits, " +")
    return f"@@ -{hunk.old_start},{old} +{hunk.new_start},{new} @@"


def _line(edit: Edit) -> str:
    kind, text = edit
    return f"{kind}{text}" if text.endswith("\n") else f"{kind}{text}\n{NO_NEWLINE}\n"


def count(edits: Iterable[Edit], kinds: str) -> int:
    """Count the lines of these kinds."""
    return sum(kind in kinds for kind, _ in edits)


def lines_of(edits: Iterable[Edit], kinds: str) -> list[str]:
    """The lines of these kinds: ``" -"`` is the file before, ``" +"`` the file after."""
    return [text for kind, text in edits if kind in kinds]


def shorten_hunk(hunk: Hunk, context: int = CONTEXT) -> list[Hunk]:
    """Leave out unchanged lines that are far from any change."""
    hunks: list[Hunk] = []
    for begin, end in _stretches(hunk.edits, context):
        old, new = count(hunk.edits[:begin], " -"), count(hunk.edits[:begin], " +")
        edits = hunk.edits[begin:end]
        hunks.append(Hunk(hunk.old_start + old, hunk.new_start + new, edits))
    return [_renumbered(hunk, short) for short in hunks]

r"""Unified patches: parse, reduce to a few lines around each change, compose, write.

Pure, without knowledge of OpenCode. Each line keeps its end, so a last line without one stays so. Lines are split at
``\n`` alone: a form feed or a carriage return is part of a line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Literal, TypeAlias

CONTEXT = 3
"""Unchanged lines that are shown around a change."""
HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
NO_NEWLINE = "\\ No newline at end of file"

EditKind: TypeAlias = Literal[" ", "-", "+"]
Edit: TypeAlias = tuple[EditKind, str]
"""Line that is kept, removed or added."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Hunk of a patch."""

    old_start: int
    """Number of its first line before the change; of the line in front if it has none."""
    new_start: int
    edits: Sequence[Edit]


@dataclass(frozen=True, slots=True)
class Patch:
    """Patch of one file, or several patches in a row."""

    header: Sequence[str]
    """The lines outside the hunks."""
    hunks: Sequence[Hunk]


def parse(text: str) -> Patch:
    """Parse a patch; lines that belong to no hunk are header, also between and after hunks."""
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
        edits, place = _read_edits(lines, place + 1, _length(opening[2]), _length(opening[4]))
        hunks.append(Hunk(int(opening[1]), int(opening[3]), edits))
    return Patch([line for line in header if line], hunks)


def _length(count: str | None) -> int:
    return 1 if count is None else int(count)


def _read_edits(lines: Sequence[str], place: int, old: int, new: int) -> tuple[list[Edit], int]:
    """Read as many lines as the hunk's first line announces, since a removed ``-- x`` looks like a header."""
    edits: list[Edit] = []
    while place < len(lines):
        kind, text = lines[place][:1], lines[place][1:]
        if kind == "\\" and edits:
            edits[-1] = (edits[-1][0], edits[-1][1].removesuffix("\n"))
        elif (old <= 0 and new <= 0) or kind not in (" ", "-", "+"):
            break
        else:
            edits.append((kind, f"{text}\n"))
            old, new = old - (kind != "+"), new - (kind != "-")
        place += 1
    return edits, place


def write(hunks: Iterable[Hunk]) -> str:
    """Return the text of hunks, without a header."""
    return "".join(f"{_opening(hunk)}\n{''.join(map(_line, hunk.edits))}" for hunk in hunks)


def _opening(hunk: Hunk) -> str:
    old, new = count(hunk.edits, " -"), count(hunk.edits, " +")
    return f"@@ -{hunk.old_start},{old} +{hunk.new_start},{new} @@"


def _line(edit: Edit) -> str:
    kind, text = edit
    return f"{kind}{text}" if text.endswith("\n") else f"{kind}{text}\n{NO_NEWLINE}\n"


def count(edits: Iterable[Edit], kinds: str) -> int:
    """Count the lines of the given kinds."""
    return sum(kind in kinds for kind, _ in edits)


def lines_of(edits: Iterable[Edit], kinds: str) -> list[str]:
    """Return the lines of the given kinds: ``" -"`` is the file before, ``" +"`` the file after."""
    return [text for kind, text in edits if kind in kinds]


def shorten_hunk(hunk: Hunk, context: int = CONTEXT) -> list[Hunk]:
    """Remove unchanged lines that are far from any change; the result may be several hunks."""
    hunks: list[Hunk] = []
    old, new, done = hunk.old_start, hunk.new_start, 0
    for begin, end in _stretches(hunk.edits, context):
        skipped = hunk.edits[done:begin]
        old, new = old + len(skipped), new + len(skipped)
        edits = hunk.edits[begin:end]
        hunks.append(Hunk(old, new, edits))
        old, new, done = old + count(edits, " -"), new + count(edits, " +"), end
    return hunks


def _stretches(edits: Sequence[Edit], context: int) -> list[tuple[int, int]]:
    """Return the ranges of the changes with the lines around them; adjacent ranges are joined."""
    found: list[tuple[int, int]] = []
    for place, (kind, _) in enumerate(edits):
        if kind == " ":
            continue
        begin, end = max(place - context, 0), min(place + context + 1, len(edits))
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def compose(first: Sequence[Edit], second: Sequence[Edit]) -> list[Edit] | None:
    """Compose two changes, each over the whole file; None if the second did not start from the result of the first."""
    if lines_of(first, " +") != lines_of(second, " -"):
        return None
    edits: list[Edit] = []
    earlier = iter(first)
    for kind, text in second:
        if kind == "+":
            edits.append((kind, text))
        else:
            edits.extend(_through(earlier, kind))
    edits.extend(earlier)
    return cancel_equal_edges(edits)


def _through(earlier: Iterator[Edit], kind: EditKind) -> Iterator[Edit]:
    """Yield the lines up to the next line that the first change left, including those that it removed before."""
    for was, text in earlier:
        if was == "-":
            yield was, text
            continue
        if kind == " ":
            yield was, text
        elif was == " ":
            yield kind, text
        return


def cancel_equal_edges(edits: Iterable[Edit]) -> list[Edit]:
    """Cancel equal removed and added lines at the edges of each change."""
    settled: list[Edit] = []
    for is_kept, group in groupby(edits, key=lambda edit: edit[0] == " "):
        stretch = list(group)
        settled.extend(stretch if is_kept else _settle_change(stretch))
    return settled


def _settle_change(change: Sequence[Edit]) -> list[Edit]:
    removed, added = lines_of(change, "-"), lines_of(change, "+")
    start = _alike(removed, added)
    end = _alike(removed[start:][::-1], added[start:][::-1])
    last = len(removed) - end
    return [
        *((" ", text) for text in removed[:start]),
        *(("-", text) for text in removed[start:last]),
        *(("+", text) for text in added[start : len(added) - end]),
        *((" ", text) for text in removed[last:]),
    ]


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    """Return the number of equal lines at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))

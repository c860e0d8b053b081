"""Files that change and change again, and their patches as OpenCode makes them: over the whole file."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from hypothesis import strategies as st

from opencode_mcp.diffs.patches import Edit, Hunk, count, parse, write
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff

Content = tuple[str, ...] | None
"""The lines of a file with their ends; None where there is none."""

# Lines that look like something else in a patch.
_lines = st.sampled_from(
    (
        "one",
        "two",
        "three",
        "",
        "-- a",
        "++ b",
        "@@ -1,1 +1,1 @@",
        "diff --git a/x b/x",
        "\\ No newline",
        "a\r",
        "\f",
        "é",
    )
)


def _content(lines: list[str], ended: bool) -> tuple[str, ...]:  # noqa: FBT001 - hypothesis hands it over so
    ends = ["\n"] * len(lines)
    if lines and not ended and lines[-1]:
        ends[-1] = ""
    return tuple(line + end for line, end in zip(lines, ends, strict=True))


contents = st.builds(_content, st.lists(_lines, max_size=12), st.booleans())
histories = st.lists(st.one_of(st.none(), contents, contents), min_size=2, max_size=6)
"""The states of one file, one after another."""


def edits_between(before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    edits: list[Edit] = []
    for _, begin, end, new_begin, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[begin:end] == after[new_begin:new_end]:
            edits.extend((" ", line) for line in before[begin:end])
        else:
            edits.extend(("-", line) for line in before[begin:end])
            edits.extend(("+", line) for line in after[new_begin:new_end])
    return edits


def opencode_diff(file: str, before: Content, after: Content) -> FileDiff | None:
    """Return OpenCode's diff of a file for one prompt; None if the prompt did not change it."""
    if before == after:
        return None
    edits = edits_between(before or (), after or ())
    status = "added" if before is None else "deleted" if after is None else "modified"
    hunks = [Hunk(int(bool(before)), int(bool(after)), edits)] if edits else []
    patch = f"Index: {file}\n{'=' * 67}\n--- {file}\t\n+++ {file}\t\n{write(hunks)}"
    counts = {"additions": count(edits, "+"), "deletions": count(edits, "-")}
    return FileDiff.read({"file": file, "patch": patch, "status": status, **counts})


def diffs_of(file: str, history: Sequence[Content]) -> list[FileDiff]:
    steps = (opencode_diff(file, *pair) for pair in pairwise(history))
    return [step for step in steps if step is not None]


def apply(patch: str, before: Sequence[str]) -> tuple[str, ...]:
    """Do what a patch says, and fail where the file is not what it says."""
    after: list[str] = []
    place = 0
    for hunk in parse(patch).hunks:
        old = [text for kind, text in hunk.edits if kind != "+"]
        start = hunk.old_start - 1 if old else hunk.old_start
        assert list(before[start : start + len(old)]) == old
        after.extend([*before[place:start], *(text for kind, text in hunk.edits if kind != "-")])
        assert len(after) == hunk.new_start - 1 + len(hunk.edits) - count(hunk.edits, "-") or not count(
            hunk.edits, " +"
        )
        place = start + len(old)
    return (*after, *before[place:])

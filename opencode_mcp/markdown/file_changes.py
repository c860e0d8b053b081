"""Changes of files as Markdown: a table of the changed files, then the patches, cut to a length.

Pure: the diffs are passed in, and nothing is read. Paths and patches are text of others and appear in code spans and
fences (see ``excerpt.py``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opencode_mcp.diffs.git_diff_text import unquote
from opencode_mcp.diffs.patches import Patch, lines_of, parse, shorten_hunk, write
from opencode_mcp.markdown.excerpt import code, name
from opencode_mcp.markdown.layout import ANY_LENGTH, Drawing, Excerpt, PlainLine, Section, draw
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.text.quantities import quantity

PATH_CHARACTERS = 200
TABLE_SHARE = 2
"""The table takes at most one half of the room."""
PATCH_CHARACTERS = 400
"""Shortest part of a patch that is shown, in characters; a shorter one would be useless."""
HEAD = "| file | change | lines |\n|---|---|---|"
QUOTED = re.compile(r'["\\\x00-\x1f\x7f]')
"""Characters that git quotes in a name."""
NOT_UTF8 = "\ufffd"
BINARY = ("Binary files ", "GIT binary patch")


UNREADABLE_NAME = "not shown, since OpenCode cannot read a name with a quote, backslash or control character"


@dataclass(frozen=True, slots=True)
class Change:
    """Diff of one file, parsed."""

    diff: FileDiff
    patch: Patch
    moved: str = ""
    """Other path of a moved file: the one with the same text."""


def render_diff(diffs: Sequence[FileDiff], *, limit: int = 20_000, pointer: str = "", author: str = "") -> str:
    """Render the changes of a prompt, a session or the working tree.

    Args:
        diffs: From ``session.diff``, ``vcs.diff``, ``merge_diffs`` or ``parse_raw``.
        limit: Most characters. Long patches are cut to equal shares, from the first file on.
        pointer: Sentence that says how to read the parts that were cut; shown at the end if there are any.
        author: Whose changes they are, such as "this session"; empty: not said.
    """
    if not diffs:
        return f"{author.capitalize()} changed no file." if author else "No file is changed."
    changes = _changes(diffs)
    room = limit - len(pointer) - 4
    table = draw(_table(changes, author), room // TABLE_SHARE)
    patches = _draw_patches(changes, room - len(table.text))
    sections = [table.text, patches.text, pointer if table.cut or patches.cut else ""]
    return "\n\n".join(filter(None, sections))


def _changes(diffs: Sequence[FileDiff]) -> list[Change]:
    read = [(diff, parse(diff.patch)) for diff in diffs]
    gone = {_text(patch, "-"): diff.file for diff, patch in read if diff.status == "deleted"}
    come = {_text(patch, "+"): diff.file for diff, patch in read if diff.status == "added"}
    return [Change(diff, patch, _moved(diff, patch, gone, come)) for diff, patch in read]


def _moved(diff: FileDiff, patch: Patch, gone: Mapping[str, str], come: Mapping[str, str]) -> str:
    """Return the other path of a moved file; OpenCode reports it as one deleted and one added file."""
    match diff.status:
        case "deleted":
            text, others, back = _text(patch, "-"), come, gone
        case "added":
            text, others, back = _text(patch, "+"), gone, come
        case _:
            return ""
    return others.get(text, "") if text and back.get(text) == diff.file else ""


def _text(patch: Patch, kind: str) -> str:
    return "".join(line for hunk in patch.hunks for line in lines_of(hunk.edits, kind))


def _table(changes: Sequence[Change], author: str) -> Section:
    added = sum(change.diff.additions for change in changes)
    removed = sum(change.diff.deletions for change in changes)
    changed = f"changed by {author}" if author else "changed"
    total = f"{quantity(len(changes), 'file')} {changed}, +{added:,} -{removed:,}"
    rows = [PlainLine(_row(change)) for change in changes]
    return Section(f"{total}\n\n{HEAD}", rows, noun="files", from_end=False)


def _row(change: Change) -> str:
    diff = change.diff
    lines = f"+{diff.additions:,} -{diff.deletions:,}" if diff.additions or diff.deletions else ""
    cells = [code(diff.file or "(no name)", PATH_CHARACTERS), _what(change), lines]
    # A bar ends a cell even inside a code span.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _what(change: Change) -> str:
    """Describe the change of a file, and the reason if there is no patch."""
    diff, status = change.diff, name(change.diff.status)
    if change.moved:
        return f"{status}, moved {'to' if diff.status == 'deleted' else 'from'} {code(change.moved, PATH_CHARACTERS)}"
    return ", ".join([status, *_details(change)])


def _details(change: Change) -> list[str]:
    details: list[str] = []
    if before := unquote(_after("rename from ", change)):
        details.append(f"from {code(before, PATH_CHARACTERS)}")
    if mode := _after("old mode ", change):
        details.append(f"mode {name(mode)} → {name(_after('new mode ', change))}")
    steps = sum(line.startswith("--- ") for line in change.patch.header)
    if steps > 1:
        details.append(f"in {steps} steps, shown one after another")
    if not (change.patch.hunks or before or mode):
        details.append(_without_text(change))
    return details


def _after(start: str, change: Change) -> str:
    return next((line.removeprefix(start) for line in change.patch.header if line.startswith(start)), "")


def _without_text(change: Change) -> str:
    diff = change.diff
    if NOT_UTF8 in diff.file:
        return "not shown, since OpenCode cannot read a name that is not UTF-8"
    if diff.additions or diff.deletions:
        return UNREADABLE_NAME if QUOTED.search(diff.file) else "too large for OpenCode to show"
    if _is_binary(change):
        return "binary"
    return "text unchanged" if diff.status == "modified" else "empty"


def _is_binary(change: Change) -> bool:
    return not change.diff.patch or any(line.startswith(BINARY) for line in change.patch.header)


def _draw_patches(changes: Sequence[Change], room: int) -> Drawing:
    excerpts: list[Excerpt] = []
    for change in changes:
        if change.moved:
            continue
        if text := write(short for hunk in change.patch.hunks for short in shorten_hunk(hunk)):
            excerpts.append(Excerpt(text, ANY_LENGTH, code(change.diff.file, PATH_CHARACTERS), language="diff"))
    shown = max(room, 0) // PATCH_CHARACTERS
    note = f"- the patches of {len(excerpts) - shown:,} more files left out" if len(excerpts) > shown else ""
    drawn = draw(Section("", excerpts[:shown], noun="patches", from_end=False), room - len(note) - 1)
    return Drawing("\n".join(filter(None, [drawn.text, note])), cut=drawn.cut or bool(note))

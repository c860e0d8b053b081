"""Changed files of a run in lists, each below a heading that says whose changes they are."""

from typing import TYPE_CHECKING

from opencode_mcp.server.results.session_name import session_name
from opencode_mcp.text.outside_text import name_in_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.diffs.authorship import ChangeAuthor
    from opencode_mcp.runs.outcome.run_report import (
        ChangedFile,
        RunReport,
    )

SHOWN_FILES = 50
"""Number of changed files that a report lists; the others are counted."""
CHANGED = "Changed files:"
FILE_HEADINGS: "Mapping[ChangeAuthor, str]" = {
    "this": CHANGED,
    "shared": CHANGED,
    "other": "Changed by other sessions in the same directory, not by this run:",
    "unknown": "Changed meanwhile; it is not known by whom:",
}
"""Headings of the lists of changed files in their order, by whose change it is."""
BY_CALLS = "Changed by its tool calls; OpenCode records no changes of these files, and cannot undo them:"
"""Heading of the files that OpenCode does not record: without git, without snapshots, or since git ignores them."""
OTHERS_DID = {"this": "also", "shared": "also changed by", "other": "by", "unknown": "this run or"}
"""Words in front of the other sessions, by whose change it is."""
NO_DIFF = "(no diff: not ready, or changed back)"
OUTSIDE = "(outside the project: no diff, and an undo leaves it as it is)"


def changed_files_section(report: "RunReport") -> str:
    """Return the lists of the changed files, each below its heading."""
    listed: dict[str, list[str]] = {heading: [] for heading in (*FILE_HEADINGS.values(), BY_CALLS)}
    for file in report.files[:SHOWN_FILES]:
        heading = BY_CALLS if file.by_calls else FILE_HEADINGS[file.whose]
        listed[heading].append(_file_line(file))
    lines: list[str] = []
    for heading, files in listed.items():
        lines += [heading, *files] if files else []
    more = len(report.files) - SHOWN_FILES
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _file_line(file: "ChangedFile") -> str:
    names = ", ".join(session_name(other.session_id, other.title) for other in file.others)
    if len(file.others) > 1 and file.whose in {"other", "unknown"}:
        # An author is one of the sessions whose commands ran at that time, and not all of them.
        names = f"one of: {names}"
    by = f" ({OTHERS_DID[file.whose]} {names})" if names else ""
    return " ".join(filter(None, [file.change, name_in_line(file.path), _counts(file)])) + by


def _counts(file: "ChangedFile") -> str:
    """Return the numbers of changed lines, or why there are none."""
    if file.outside:
        return OUTSIDE
    if file.by_calls:
        return ""
    return NO_DIFF if file.change == "changed" else f"+{file.added} -{file.removed}"

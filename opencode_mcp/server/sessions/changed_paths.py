"""Files that a session changed, as text and as data."""

from typing import TYPE_CHECKING, Any

from opencode_mcp.diffs.named_files import absolute
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.diffs.session_files import SessionFile
    from opencode_mcp.runs.session_history.session_changes import SessionChanges

FILES_NAMED = 5
"""Files of a session that its row names."""
MAYBE = "?: changed by a command or a subagent of the session, or by another session at that time."
"""Explanation of the mark of a file that is not certain."""


def changes_text(changes: "SessionChanges", directory: str) -> str:
    """Return the changed files in one line; empty if there are none."""
    if not changes.files:
        return ""
    names = listed([_named(file, directory) for file in changes.files], FILES_NAMED)
    return f"files {names}" if changes.is_whole else f"files of its latest messages {names}"


def _named(file: "SessionFile", directory: str) -> str:
    lines = f" +{file.lines[0]} -{file.lines[1]}" if file.lines else ""
    return f"{one_line(_shown_path(file.path, directory))}{'' if file.is_certain else '?'}{lines}"


def changes_data(changes: "SessionChanges", directory: str) -> dict[str, Any]:
    """Return the changed files as structured content; nothing if there are none."""
    rows = [_row(file, directory) for file in changes.files[:FILES_NAMED]]
    data: dict[str, Any] = {"files": rows} if rows else {}
    if len(changes.files) > FILES_NAMED:
        data["more_files"] = len(changes.files) - FILES_NAMED
    return data if changes.is_whole else {**data, "files_complete": False}


def _row(file: "SessionFile", directory: str) -> dict[str, Any]:
    row: dict[str, Any] = {"path": _shown_path(file.path, directory)}
    if file.lines:
        row |= {"added": file.lines[0], "removed": file.lines[1]}
    return row if file.is_certain else row | {"certain": False}


def _shown_path(path: str, directory: str) -> str:
    """Return a path relative to the directory of its session, or the absolute one if it is elsewhere."""
    return path.removeprefix(f"{absolute('.', directory)}/")

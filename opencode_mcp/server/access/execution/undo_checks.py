"""Check an undo of a session: the files that it restores may decide what OpenCode runs and asks."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from opencode_mcp.diffs import git_diff_text
from opencode_mcp.errors import NotAllowed
from opencode_mcp.runs.session_history import history
from opencode_mcp.workspace.configuration.protected_files import decides_what_runs

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.access.allowed_operations import AllowedOperations


async def check_undo(
    client: "OpenCodeClient", allowed: "AllowedOperations", operation: "Operation", session: "Session", first: str
) -> None:
    """Refuse an undo that would change OpenCode's configuration.

    OpenCode first takes back an earlier undo of the session, so those files count, too.

    Args:
        client: Reads the files that the answers changed.
        allowed: Decides what is allowed.
        operation: The operation that undoes.
        session: The session that is undone.
        first: Id of the first message, or part of one, that is undone.

    Raises:
        NotAllowed: A file that decides what OpenCode runs or asks would change.
    """
    if allowed.allows_as("execute", operation):
        return
    files = [*await history.touched_files(client, session.id, first), *_undone_files(session)]
    _refuse(files, session, allowed, operation, "Undo your changes of {} by hand.")


def check_redo(allowed: "AllowedOperations", operation: "Operation", session: "Session") -> None:
    """Refuse to take back an undo (``session.unrevert``) if that would change OpenCode's configuration."""
    if not allowed.allows_as("execute", operation):
        _refuse(_undone_files(session), session, allowed, operation, "Make your changes of {} again.")


def _undone_files(session: "Session") -> list[str]:
    """Return the files that an undo of the session has changed; a renamed one by both of its names."""
    return git_diff_text.paths_in(session.revert.diff) if session.revert else []


def _refuse(
    files: Iterable[str], session: "Session", allowed: "AllowedOperations", operation: "Operation", task: str
) -> None:
    """Refuse if one of the files decides what OpenCode runs and asks.

    Args:
        files: The files that would change.
        session: Their session.
        allowed: Decides what is allowed.
        operation: The operation that would change them.
        task: A prompt that makes OpenCode's agent do the same, with a place for the file.
    """
    deciding = next((name for name in files if decides_what_runs(name, session.directory)), "")
    if deciding:
        raise NotAllowed(
            f"{operation.id}, with which opencode_revert undoes and restores, would change {deciding!r}, which decides "
            "what OpenCode runs and asks.",
            hint="OpenCode's agent can do it under OpenCode's permission rules: "
            f'opencode_run(session_id="{session.id}", prompt={json.dumps(task.format(deciding), ensure_ascii=False)}).',
            by_person="change the file by hand",
            remark="OpenCode asks no permission for an undo: a text that misleads you could make it run any program.",
            change=allowed.change_for("execute", operation),
        )

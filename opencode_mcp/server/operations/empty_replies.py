"""Meaning of empty replies, for callers who cannot tell it from ``[]`` or ``{}``.

Pure.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.server.operations.envelope import content_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.operation_table import Operation

_NO_SERVER = "No MCP server is loaded."
_NO_PERMISSION = "No permission request is open."
_NO_QUESTION = "No question is open."
_NOT_BUSY = "No session is running."
MEANINGS: Mapping[str, str] = {
    "form.list": _NO_QUESTION,
    "mcp.list": f"{_NO_SERVER} {CHANGES_LOADED[2]}",
    "mcp.status": f"{_NO_SERVER} {CHANGES_LOADED[1]}",
    "permission.list": _NO_PERMISSION,
    "permission.request.list": _NO_PERMISSION,
    "pty.list": "No terminal is open.",
    "question.list": _NO_QUESTION,
    "session.active": _NOT_BUSY,
    "session.children": "The session has no subagents.",
    "session.form.list": _NO_QUESTION,
    "session.status": _NOT_BUSY,
    "session.todo": "The session has no todo list.",
    "shell.list": "No shell command is running.",
    "vcs.status": "No file is changed, or the project is not a git repository.",
    "worktree.list": "There is no worktree besides the project itself.",
}
"""Meaning of an empty reply by operation, for lists without pages."""
_SERVERS = 'Next: opencode_read_operation(operation="mcp.list") shows the servers and whether they are connected.'
NEXT: Mapping[str, str] = dict.fromkeys(("mcp.add", "mcp.connect", "mcp.disconnect", "mcp.remove"), _SERVERS)
"""Next step after a change that OpenCode replies to with nothing, by operation; OpenCode 1 replies to these."""
EMPTY = "The reply is empty."
WORDS = ("is empty", "Answers []", "Empty")
"""Words of notes that explain an empty reply."""


def meaning_of_empty(operation: "Operation", reply: object) -> str:
    """Return what an empty reply means, or the next step after it; empty if there is something in it."""
    if operation.effect != "read":
        return NEXT.get(operation.id, "") if reply is None else ""
    if content_of(reply) not in ([], {}):
        return ""
    explains = any(word in operation.note for word in WORDS)
    return MEANINGS.get(operation.id) or (f"{EMPTY} {operation.note}" if explains else EMPTY)

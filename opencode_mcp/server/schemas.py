"""The output schemas of the tools: only what callers rely on, since every listing carries them.

What is required is named; the choices of a status are said.
"""

from collections.abc import Mapping

Schema = Mapping[str, object]


def _holding(*required: str, **properties: Schema) -> Schema:
    told = {"properties": properties} if properties else {}
    return {"type": "object", **told, "required": [*required]}


STATUS: Schema = {"enum": ["completed", "running", "needs_input", "failed", "aborted"]}
RUN_REPORT = _holding("status", "session_id", "message_id", "text", "pending", "next", status=STATUS)
RUN_REPORTS = _holding("status", "next", status=STATUS)
SESSIONS = _holding("sessions", "cursor")
SESSION = _holding("session_id", "status", "transcript", "cursor")
CHANGES = _holding("files", "diff")
FORK = _holding("session_id", "next")
SHELL = _holding("status", "session_id", "message_id", "output")
FOLDER = _holding("path", "entries", "cursor")
PATHS = _holding("paths", "cursor")
MATCHES = _holding("matches", "cursor")
SYMBOLS = _holding("symbols", "source")
OPERATIONS = _holding("operations")
OPERATION_REPLY = _holding("operation", "reply")

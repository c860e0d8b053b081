"""The output schemas of the tools, as short as they can be, since every listing carries them.

A typed client makes its result types of the declared properties, so a run's report declares all of them. Their own
schemas are left out: they would double the size of the listing, and README describes the report.
"""

from collections.abc import Mapping, Sequence

Schema = Mapping[str, object]


def _holding(*required: str, declared: Sequence[str] = ()) -> Schema:
    schema: dict[str, object] = {"type": "object", "required": [*required]}
    if declared:
        schema["properties"] = {name: dict[str, object]() for name in declared}
    return schema


REPORT_FIELDS = (
    *("status", "note", "session_id", "message_id", "directory", "title", "text", "output", "merged_with", "shortfall"),
    *("error", "lost", "activity", "files", "todos", "pending", "decided", "children", "model", "agent", "tokens"),
    *("cost", "seconds", "next", "left_out"),
)
"""The fields of ``RunReport``, which are not taken from it: to list the tools must not import what runs need."""
RUN_REPORT = _holding("status", "next", declared=REPORT_FIELDS)
RUN_REPORTS = _holding("status", "next", declared=("runs", *REPORT_FIELDS))
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

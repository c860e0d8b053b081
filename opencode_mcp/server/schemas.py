"""The output schemas of the tools: only what callers rely on, since every listing carries them."""

from collections.abc import Mapping

Schema = Mapping[str, object]


def _object(properties: Mapping[str, object], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


TEXT: Schema = {"type": "string"}
LIST: Schema = {"type": "array", "items": {"type": "object"}}
RUN_REPORT = _object(
    {
        "status": {"enum": ["completed", "running", "needs_input", "failed", "aborted"]},
        "session_id": TEXT,
        "message_id": TEXT,
        "text": TEXT,
        "output": {"description": "the structured answer"},
        "error": TEXT,
        "files": LIST,
        "pending": LIST,
        "next": TEXT,
    },
    ["status", "session_id", "message_id", "text", "pending", "next"],
)
RUN_REPORTS = _object(
    {
        "status": {"enum": ["completed", "running", "needs_input", "failed", "aborted"]},
        "runs": {"type": "array", "items": {"type": "object"}, "description": "where several were waited for"},
        "next": TEXT,
    },
    ["status", "next"],
)
SESSIONS = _object({"sessions": LIST, "cursor": {"type": "string", "description": "empty at the end"}}, ["sessions"])
FILE = _object(
    {"path": TEXT, "lines": {"type": "integer"}, "first": {"type": "integer"}, "last": {"type": "integer"}}, ["path"]
)

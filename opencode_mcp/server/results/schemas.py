"""Output schemas of the tools, as short as possible, since every listing contains them.

A typed client derives its result types from the declared properties, so the schema of ``opencode_run`` declares all of
them, and the others declare none: such a client then keeps every field. The schemas of the properties are left out:
they would double the size of the listing, and README describes the report.

The module also lists the fields that repeat the text of the result: not every host gets them (``duplicate_text.py``),
so none of them is required.
"""

from collections.abc import Sequence

from opencode_mcp.text.json_types import Schema


def _holding(*required: str, declared: Sequence[str] = ()) -> Schema:
    schema: dict[str, object] = {"type": "object", "required": [*required]}
    if declared:
        schema["properties"] = {name: dict[str, object]() for name in declared}
    return schema


REPORT_FIELDS = (
    *("status", "note", "session_id", "message_id", "directory", "title", "prompt", "text", "output", "merged_with"),
    *("shortfall", "error", "activity", "files", "todos", "pending", "decided", "children", "model", "agent"),
    *("tokens", "cost", "seconds", "waited", "verified", "verification", "next", "left_out", "only_in_text"),
)
"""Fields of ``RunReport``, repeated here because listing the tools must not import the modules of runs."""
REPORT_TEXTS = ("text", "error", "todos", "verification.output")
"""Fields that repeat the text. Open requests are not among them: the reader who decides on one must always get it."""
RUN_REPORT = _holding("status", "next", declared=REPORT_FIELDS)
SAME_REPORT: Schema = {"type": "object"}
"""Schema of the other tools that return such a report: its fields, six times over, would fill a tenth of the list."""
REPORTS_TEXTS = (*REPORT_TEXTS, *(f"runs.{field}" for field in REPORT_TEXTS))
SESSION = _holding("session_id", "status", "cursor")
SESSION_TEXTS = ("transcript", "todos")
CHANGES_TEXTS = ("diff",)
SHELL = _holding("status", "session_id", "message_id")
SHELL_TEXTS = ("output",)
PATHS = _holding("paths", "cursor")
FILE_TEXTS = ("text",)
MATCHES = _holding("matches", "cursor")
MATCHES_TEXTS = ("matches.text", "matches.before", "matches.after")
SYMBOLS = _holding("symbols", "source")
SYMBOLS_TEXTS = ("symbols.text", "references.text")
OPERATIONS = _holding("operations")
OPERATIONS_TEXTS = tuple(f"operations.{field}" for field in ("does", "note", "arguments", "replies"))
OPERATION_REPLY = _holding("operation")
REPLY_TEXTS = ("reply",)

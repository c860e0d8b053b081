"""Output schemas of the tools, as short as possible, since every listing contains them.

They declare no properties: a typed client, which derives its result types from the declared ones, then keeps every
field. The schemas of all properties would double the size of the listing; ``docs/report.md`` lists those of a report.

The module also lists the fields that repeat the text of the result: not every host gets them (``duplicate_text.py``),
so none of them is required.
"""

from opencode_mcp.text.json_types import Schema


def _holding(*required: str) -> Schema:
    return {"type": "object", "required": [*required]}


REPORT_TEXTS = ("text", "error", "todos", "verification.output")
"""Fields that repeat the text. Open requests are not among them: the reader who decides on one must always get it."""
RUN_REPORT = _holding("status", "next")
SAME_REPORT: Schema = {"type": "object"}
"""Schema of the tools that return such a report, or another result, such as the table of a batch."""
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

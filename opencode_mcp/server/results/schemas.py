"""Output schemas of the tools, as short as possible, since every listing contains them.

They declare no properties: a typed client, which derives its result types from the declared ones, then keeps every
field. The schemas of all properties would double the size of the listing; ``docs/report.md`` lists those of a report.

The constants that end in ``_TEXTS`` list the fields that repeat the text of the result. Not every host gets them
(``duplicate_text.py``), so no schema requires one.
"""

from opencode_mcp.text.json_types import Schema


def _holding(*required: str) -> Schema:
    return {"type": "object", "required": [*required]}


RUN_REPORT = _holding("status", "next")
"""Report of a run."""
REPORT_TEXTS = ("text", "error", "todos", "verification.output")
"""Fields of a report. Open requests are not among them: the reader who decides on one must always get it."""
REPORTS_TEXTS = (*REPORT_TEXTS, *(f"runs.{field}" for field in REPORT_TEXTS))
"""Fields of a report, or of each of several."""
SAME_REPORT: Schema = {"type": "object"}
"""Schema of the tools that return such a report, or another result, such as the table of a batch."""

SESSION = _holding("session_id", "status", "cursor")
"""A session with a page of its conversation."""
SESSION_TEXTS = ("transcript", "todos")

CHANGES_TEXTS = ("diff",)
"""Fields of a list of changed files."""

SHELL = _holding("status", "session_id", "message_id")
"""A shell line that was run in a session."""
SHELL_TEXTS = ("output",)

FILE_TEXTS = ("text",)
"""Fields of a file that was read."""
PATHS = _holding("paths", "cursor")
"""A page of the paths that a search for files found."""
MATCHES = _holding("matches", "cursor")
"""A page of the lines that a search for text found."""
MATCHES_TEXTS = ("matches.text", "matches.before", "matches.after")
SYMBOLS = _holding("symbols", "source")
"""The definitions of a symbol, and where it is used."""
SYMBOLS_TEXTS = ("symbols.text", "references.text")

OPERATIONS = _holding("operations")
"""Operations of OpenCode's API that a search found."""
OPERATIONS_TEXTS = tuple(f"operations.{field}" for field in ("does", "note", "arguments", "replies"))
OPERATION_REPLY = _holding("operation")
"""Reply of OpenCode to a call of an operation."""
REPLY_TEXTS = ("reply",)

"""Subject of a tool call: the argument that says best what the call works on. Pure."""

from opencode_mcp.text.json_types import JsonMap

SUBJECTS = ("command", "filePath", "path", "pattern", "query", "url", "description", "name", "id", "code", "prompt")
"""Arguments that can be the subject, the best first."""


def call_subject(arguments: JsonMap) -> str:
    """Return the subject of a tool call; empty if no argument can be it."""
    return next((str(arguments[name]) for name in SUBJECTS if arguments.get(name)), "")

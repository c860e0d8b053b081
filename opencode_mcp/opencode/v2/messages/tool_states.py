"""States of OpenCode 2's tool calls as those of the vocabulary. Pure."""

from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text

STREAMING = "streaming"
"""Status of a call whose input the model is still writing."""


def tool_state(state: JsonMap) -> dict[str, object]:
    """Convert a state to the JSON of ``models.ToolState``."""
    status, error = as_text(state.get("status")), as_map(state.get("error"))
    return {
        "status": "pending" if status in {STREAMING, ""} else status,
        "input": dict(as_map(state.get("input"))),
        "output": content_text(as_maps(state.get("content"))),
        "error": as_text(error.get("message")) or as_text(error.get("type")),
        "metadata": tool_metadata(as_map(state.get("metadata"))),
        "attachments": _attachments(as_maps(state.get("content"))),
    }


def content_text(content: list[JsonMap]) -> str:
    """Return the texts that a tool returned, each on lines of its own."""
    texts = [as_text(entry.get("text")) for entry in content if as_text(entry.get("type")) == "text"]
    return "\n".join(text.removesuffix("\n") for text in texts)


def _attachments(content: list[JsonMap]) -> list[dict[str, object]]:
    files = [entry for entry in content if as_text(entry.get("type")) == "file"]
    return [
        {"mime": as_text(file.get("mime")), "url": as_text(file.get("uri")), "filename": as_text(file.get("name"))}
        for file in files
    ]


def tool_metadata(metadata: JsonMap) -> dict[str, object]:
    """Rename the subagent's session as OpenCode 1 has it, and add up the changed lines of all files."""
    converted = {name: value for name, value in metadata.items() if name != "sessionID"}
    if session := as_text(metadata.get("sessionID")):
        converted["sessionId"] = session
    if files := as_maps(metadata.get("files")):
        converted["filediff"] = {name: _total(files, name) for name in ("additions", "deletions")}
    return converted


def _total(files: list[JsonMap], name: str) -> int:
    return sum(int(as_number(file.get(name)) or 0) for file in files)

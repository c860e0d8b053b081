"""An MCP server with one tool, for OpenCode to use; it answers what OpenCode asks, and nothing more."""

import json
import sys

TOOL = {
    "name": "drop_table",
    "description": "Drops a table",
    "inputSchema": {
        "type": "object",
        "properties": {"table": {"type": "string"}, "sql": {"type": "string"}, "options": {"type": "object"}},
    },
}


def answer(message: dict[str, object]) -> dict[str, object]:
    """The result of a request."""
    match message["method"]:
        case "initialize":
            info = {"name": "mini", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            return {"content": [{"type": "text", "text": "dropped"}]}
        case _:
            return {}


for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()

"""MCP server whose tool asks the user for input; a program of its own, since importing an SDK would take a second.

Run as ``python eliciting_mcp.py``, with the elicitation's parameters as JSON in the environment variable ``ELICITS``.
The tool ``ask`` returns the answer as text.
"""

import json
import os
import sys
from typing import Any, cast

Json = dict[str, Any]
TOOL: Json = {"name": "ask", "description": "Asks", "inputSchema": {"type": "object", "properties": {}}}
ASKED = "asked"


def send(message: Json) -> None:
    """Write a message as one line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def result_of(message: Json) -> Json:
    """Return the result of a request that is answered at once."""
    match message["method"]:
        case "initialize":
            version = message["params"]["protocolVersion"]
            info = {"name": "asker", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            return {"tools": [TOOL]}
        case _:
            return {}


def main() -> None:
    """Serve until the input ends."""
    called: object = None
    for line in sys.stdin:
        message = cast("Json", json.loads(line))
        request_id = message.get("id")
        if message.get("method") == "tools/call":
            called = request_id
            send({"id": ASKED, "method": "elicitation/create", "params": json.loads(os.environ["ELICITS"])})
        elif request_id == ASKED:
            result = json.dumps(message.get("result") or message.get("error"), sort_keys=True)
            send({"id": called, "result": {"content": [{"type": "text", "text": result}]}})
        elif request_id is not None and "method" in message:
            send({"id": request_id, "result": result_of(message)})


if __name__ == "__main__":
    main()

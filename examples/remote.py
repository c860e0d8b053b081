"""Delegate one task to the OpenCode of another machine, whose bridge serves HTTP, and print the report.

OPENCODE_BRIDGE is the URL of the bridge, such as https://agents.example.com/mcp, and OPENCODE_BRIDGE_TOKEN the token of
a principal.
"""

from typing import Any, cast

import anyio
import httpx2
from bridge import bridge, task
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

LONGEST_SILENCE = 60.0
"""Seconds without a byte from the bridge, which sends progress or a sign of life every 15 s."""


async def main(url: str, token: str, prompt: str) -> None:
    """Pass on the task, wait until it is over, and print the report."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=LONGEST_SILENCE) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        result = await client.call_tool("opencode_run", {"prompt": prompt})
        while (report := cast("dict[str, Any]", result.structured_content or {})).get("status") == "running":
            result = await client.call_tool("opencode_wait", {"session_id": report["session_id"]})
        print(result.content[0].model_dump()["text"])


anyio.run(main, *bridge(), task())

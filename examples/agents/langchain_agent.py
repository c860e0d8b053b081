"""A client of the LangChain adapters for MCP that calls OpenCode through a bridge that serves HTTP, without a model.

OPENCODE_BRIDGE is the URL of the bridge, and OPENCODE_BRIDGE_TOKEN the token of a principal.
"""

import asyncio
import os
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient

URL, TOKEN = os.environ["OPENCODE_BRIDGE"], os.environ["OPENCODE_BRIDGE_TOKEN"]


async def main(task: str) -> None:
    """Delegate the task, and print the report."""
    server = {"transport": "streamable_http", "url": URL, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"opencode": server}).get_tools()}
    print(await tools["opencode_run"].ainvoke({"prompt": task}))


asyncio.run(main(sys.argv[1]))

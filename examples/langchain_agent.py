"""A client of the LangChain adapters for MCP that calls OpenCode through a bridge that serves HTTP, without a model.

OPENCODE_BRIDGE is the URL of the bridge, and OPENCODE_BRIDGE_TOKEN the token of a principal.
"""

import asyncio

from bridge import bridge, task
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str, token: str, prompt: str) -> None:
    """Delegate the task, and print the report."""
    server = {"transport": "streamable_http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"opencode": server}).get_tools()}
    print(await tools["opencode_run"].ainvoke({"prompt": prompt}))


asyncio.run(main(*bridge(), task()))

"""Smallest client: delegate one task to OpenCode in the current directory and print the report."""

import os
import sys
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

BRIDGE = ["-m", "opencode_mcp", "--directory", str(Path.cwd())]


async def main(task: str) -> None:
    """Start the bridge, pass on the task, print the report."""
    async with Client(StdioServerParameters(command=sys.executable, args=BRIDGE, env=dict(os.environ))) as client:
        result = await client.call_tool("opencode_run", {"prompt": task})
        print(result.content[0].model_dump()["text"])


anyio.run(main, sys.argv[1])

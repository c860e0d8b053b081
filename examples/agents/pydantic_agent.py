"""An agent of Pydantic AI that delegates a task to OpenCode, through a bridge that serves HTTP.

The variables are those of ``openai_agent.py``.
"""

import asyncio
import os
import sys

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.openai import OpenAIChatModel

URL, TOKEN = os.environ["OPENCODE_BRIDGE"], os.environ["OPENCODE_BRIDGE_TOKEN"]
LONGEST_CALL = 600.0
"""Seconds that the agent waits for a call: a run takes minutes."""


async def main(task: str) -> None:
    """Give the task to the agent, and print its answer."""
    bridge = MCPToolset(URL, headers={"Authorization": f"Bearer {TOKEN}"}, read_timeout=LONGEST_CALL)
    agent = Agent(OpenAIChatModel(os.environ["AGENT_MODEL"]), toolsets=[bridge])
    async with agent, agent.run_stream(task) as run:
        print(await run.get_output())


asyncio.run(main(sys.argv[1]))

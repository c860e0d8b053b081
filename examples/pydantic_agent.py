"""An agent of Pydantic AI that delegates a task to OpenCode, through a bridge that serves HTTP.

The variables are those of ``openai_agent.py``.
"""

import asyncio
import os

from bridge import bridge, task
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.openai import OpenAIChatModel

LONGEST_CALL = 600.0
"""Seconds that the agent waits for a call: a run takes minutes."""


async def main(url: str, token: str, prompt: str) -> None:
    """Give the task to the agent, and print its answer."""
    toolset = MCPToolset(url, headers={"Authorization": f"Bearer {token}"}, read_timeout=LONGEST_CALL)
    agent = Agent(OpenAIChatModel(os.environ["AGENT_MODEL"]), toolsets=[toolset])
    async with agent, agent.run_stream(prompt) as run:
        print(await run.get_output())


asyncio.run(main(*bridge(), task()))

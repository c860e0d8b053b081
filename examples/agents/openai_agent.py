"""An agent of the OpenAI Agents SDK that delegates a task to OpenCode, through a bridge that serves HTTP.

OPENCODE_BRIDGE is the URL of the bridge, and OPENCODE_BRIDGE_TOKEN the token of a principal. The model of the agent is
AGENT_MODEL at OPENAI_BASE_URL, with the key OPENAI_API_KEY.
"""

import asyncio
import os
import sys

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI

URL, TOKEN = os.environ["OPENCODE_BRIDGE"], os.environ["OPENCODE_BRIDGE_TOKEN"]
LONGEST_CALL = 600.0
"""Seconds that the agent waits for a call: a run takes minutes."""


async def main(task: str) -> None:
    """Give the task to the agent, and print its answer."""
    set_tracing_disabled(disabled=True)
    parameters = {"url": URL, "headers": {"Authorization": f"Bearer {TOKEN}"}, "sse_read_timeout": LONGEST_CALL}
    async with MCPServerStreamableHttp(parameters, client_session_timeout_seconds=LONGEST_CALL) as bridge:
        agent = Agent(
            name="Delegator",
            instructions="Delegate work on code to OpenCode.",
            model=OpenAIChatCompletionsModel(os.environ["AGENT_MODEL"], AsyncOpenAI()),
            mcp_servers=[bridge],
        )
        run = Runner.run_streamed(agent, task)
        async for _ in run.stream_events():
            pass
        print(run.final_output)


asyncio.run(main(sys.argv[1]))

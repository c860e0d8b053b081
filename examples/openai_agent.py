"""An agent of the OpenAI Agents SDK that delegates a task to OpenCode, through a bridge that serves HTTP.

OPENCODE_BRIDGE is the URL of the bridge, and OPENCODE_BRIDGE_TOKEN the token of a principal. The model of the agent is
AGENT_MODEL at OPENAI_BASE_URL, with the key OPENAI_API_KEY.
"""

import asyncio
import os

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp
from bridge import bridge, task
from openai import AsyncOpenAI

LONGEST_CALL = 600.0
"""Seconds that the agent waits for a call: a run takes minutes."""


async def main(url: str, token: str, prompt: str) -> None:
    """Give the task to the agent, and print its answer."""
    set_tracing_disabled(disabled=True)
    parameters = {"url": url, "headers": {"Authorization": f"Bearer {token}"}, "sse_read_timeout": LONGEST_CALL}
    async with MCPServerStreamableHttp(parameters, client_session_timeout_seconds=LONGEST_CALL) as server:
        agent = Agent(
            name="Delegator",
            instructions="Delegate work on code to OpenCode.",
            model=OpenAIChatCompletionsModel(os.environ["AGENT_MODEL"], AsyncOpenAI()),
            mcp_servers=[server],
        )
        run = Runner.run_streamed(agent, prompt)
        async for _ in run.stream_events():
            pass
        print(run.final_output)


asyncio.run(main(*bridge(), task()))

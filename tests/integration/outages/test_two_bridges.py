"""Two bridges, or a bridge and a terminal, that prompt one session at once: nobody gets another's answer unawares."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import RawClient, open_raw
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]
Json = dict[str, Any]
TRIES = 4


@pytest.fixture
async def opencode(opencode_server: OpenCode, project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, project)
    async with seen.http:
        yield seen


async def test_of_two_bridges_that_prompt_a_session_at_once_one_is_refused(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch) as one, open_raw(launch) as other:
        started = await one.call("opencode_run", prompt=script(text("Begin.")))
        session_id = started["structuredContent"]["session_id"]
        await other.call("opencode_wait", session_id=session_id)
        for number in range(TRIES):
            results: dict[str, Json] = {}

            async def run(client: RawClient, name: str, results: dict[str, Json] = results) -> None:
                prompt = script(text(f"Answer to {name}."), say=name)
                results[name] = await client.call("opencode_run", prompt=prompt, session_id=session_id)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run, one, f"one {number}")
                tasks.start_soon(run, other, f"other {number}")
            answered = {name: result for name, result in results.items() if not result["isError"]}
            assert answered
            for name, result in answered.items():
                assert result["structuredContent"]["text"] == f"Answer to {name}."
            assert await opencode.prompts(session_id) >= number + 2


async def test_a_prompt_that_a_terminal_merged_its_own_into_says_so(
    launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    async with open_raw(launch) as client:
        prompt = script(step(text("Mine. "), hold("merged")))
        number = await client.send("tools/call", {"name": "opencode_run", "arguments": {"prompt": prompt}})
        await scripted_model.reached("merged")
        session_id = await opencode.latest_session()
        await opencode.prompt(session_id, script(text("Theirs.")))
        await scripted_model.release("merged")
        result = (await client.reply(number))["result"]
    assert result["structuredContent"]["merged_with"]
    assert "OpenCode answered this prompt together with msg_" in result["content"][0]["text"]

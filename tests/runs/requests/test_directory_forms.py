"""A form of an MCP server belongs to a directory; it is one of the session that waits for the server."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.requests.open_requests import Requests
from tests.harness.opencode2.asking import (
    ASKS_A_NAME,
    calling,
    eliciting_project,
    ended,
    endpoint_of,
    question_of,
    servers_connected,
    started,
    text_of,
)
from tests.harness.opencode2.running import OpenCode2
from tests.scripted_model.script import script, step, text, tool
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def client(opencode2: OpenCode2) -> AsyncIterator[OpenCodeClient]:
    async with calling(opencode2) as client:
        yield client


@pytest.fixture
async def requests(client: OpenCodeClient, opencode2: OpenCode2) -> AsyncGenerator[Requests]:
    async with aclosing(Connection(Route(endpoint_of(opencode2)))) as connection, anyio.create_task_group() as tasks:
        yield Requests(client, Hub(connection, tasks))


@pytest.fixture
def asker(tmp_path: Path) -> Path:
    return eliciting_project(tmp_path, asker=ASKS_A_NAME)


async def test_a_form_of_an_mcp_server_is_one_of_the_session_that_calls_it(
    client: OpenCodeClient, requests: Requests, asker: Path
) -> None:
    where = str(asker)
    await servers_connected(client, where)
    words = script(step(tool("asker_ask")), text("Done."))
    session = await started(client, asker, words)
    asked = await question_of(client, session)
    assert (asked.of_directory, asked.server, asked.message) == (True, "asker", "Who are you?")
    other = await client.session_create(where)
    assert await requests.assigned(asked, other.id, where) is None
    assert await requests.open(where, other.id) == []
    (pending,) = await requests.open(where, session.id)
    assert (pending.session_id, pending.subagent) == (session.id, False)
    assert pending.asks == "asker is requesting input\nWho are you?\nName\nage"
    mine = await requests.assigned(asked, session.id, where)
    assert mine
    await client.question_reply(mine, where, [["Ada"], ["36"]])
    (call,) = await ended(client, session)
    assert json.loads(call.state.output) == {"action": "accept", "content": {"name": "Ada", "age": 36}}
    assert not await requests.still_waits(asked, where)

    session = await started(client, asker, words)
    await client.question_reject(await question_of(client, session), where)
    (call,) = await ended(client, session)
    assert json.loads(call.state.output) == {"action": "cancel"}
    assert "Done." in await text_of(client, session)

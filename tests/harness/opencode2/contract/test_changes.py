"""A client of the released contract changes sessions and servers beside the prompts, through the proxy."""

from typing import Any

import pytest
from opencode import AsyncOpencode
from opencode.types import (
    McpLocalConfig,
    ModelRef,
    SessionCreatedEvent,
    SessionExecutionSucceededEvent,
    SessionRetryScheduledEvent,
)

from tests.harness.opencode2.contract.unknown_fields import unknown_fields
from tests.harness.opencode2.driving import LIMIT, event_log, kinds, prompt
from tests.harness.waiting import eventually
from tests.scripted_model.opencode2 import subagent
from tests.scripted_model.script import failure, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def session(client: AsyncOpencode) -> str:
    """The id of a new session."""
    return (await client.session.create(agent="asking")).id


async def messages(client: AsyncOpencode, session: str) -> list[Any]:
    return [message async for message in client.message.list(session, order="asc")]


async def test_an_input_that_does_not_wake_the_session_waits_in_its_inbox(client: AsyncOpencode, session: str) -> None:
    await client.session.synthetic(session, text="A note", description="Noted", resume=False)
    waiting = await client.session.inbox.list(session)
    assert [item.type for item in waiting] == ["synthetic"]
    assert unknown_fields(waiting) == []


async def test_instructions_are_put_listed_and_removed(client: AsyncOpencode, session: str) -> None:
    await client.session.instructions.entry.put(session, "tone", value="Be brief.")
    found = await client.session.instructions.entry.list(session)
    assert [(entry.key, entry.value) for entry in found] == [("tone", "Be brief.")]
    assert unknown_fields(found) == []
    await client.session.instructions.entry.remove(session, "tone")
    assert await client.session.instructions.entry.list(session) == []


async def test_the_agent_and_the_model_of_a_session_are_switched(client: AsyncOpencode, session: str) -> None:
    await client.session.switch_agent(session, agent="plan")
    await client.session.switch_model(session, model=ModelRef(id="m2", provider_id="scripted", variant="high"))
    info = await client.session.get(session)
    assert info.model
    assert (info.agent, info.model.id, info.model.variant) == ("plan", "m2", "high")
    found = await messages(client, session)
    assert [message.type for message in found] == ["agent-switched", "model-switched"]
    assert unknown_fields(found) == []


@pytest.mark.usefixtures("settled")  # an agent that is not loaded yet denies everything
async def test_a_permission_that_is_always_given_is_saved(client: AsyncOpencode, session: str) -> None:
    asked = await client.permission.create(session, action="shell", resources=["ls"], save=["ls"], agent="asking")
    assert asked.effect == "ask"
    await client.permission.reply(session, asked.id, decision="always")
    saved = [item for item in await client.permission.saved.list() if item.resource == "ls"]
    assert [item.action for item in saved] == ["shell"]
    assert unknown_fields(saved) == []
    await client.permission.saved.remove(saved[0].id)
    assert [item for item in await client.permission.saved.list() if item.resource == "ls"] == []


async def test_a_users_shell_command_is_a_message(client: AsyncOpencode, session: str) -> None:
    await client.session.shell(session, command="echo by hand", id="msg_byhand")
    await client.session.wait(session)
    found = await messages(client, session)
    assert "shell" in [message.type for message in found]
    assert "by hand" in str(found)
    assert unknown_fields(found) == []


async def test_a_command_of_the_directory_runs_and_its_output_is_read(client: AsyncOpencode) -> None:
    made = (await client.shell.create(command="echo from the shell")).data

    async def look() -> bool:
        return (await client.shell.get(made.id)).data.status == "exited"

    await eventually(look)
    output = await client.shell.output(made.id)
    assert "from the shell" in str(output)
    assert unknown_fields([made, output]) == []
    await client.shell.remove(made.id)


async def test_an_mcp_server_is_added_and_removed(client: AsyncOpencode) -> None:
    await client.mcp.add("added", config=McpLocalConfig(command=["true"]))
    listed = await client.mcp.list()
    assert "added" in [server.name for server in listed.data]
    assert unknown_fields(listed) == []
    await client.mcp.remove("added")
    assert "added" not in [server.name for server in (await client.mcp.list()).data]


async def test_a_retry_a_subagent_and_a_compaction_are_noticed_and_seen(client: AsyncOpencode) -> None:
    nested = script(text("The child is done."), say="Do the small part")
    steps = (step(failure(500, "Not now", times=1), subagent(nested)), text("All parts are done."))
    async with event_log(client) as log:
        session = await prompt(client, script(*steps))
        await log.of_kind(SessionExecutionSucceededEvent, session)
        await client.session.compact(session)
        await client.session.wait(session)
    retry = next(event for event in log.events if isinstance(event, SessionRetryScheduledEvent))
    child = next(event for event in log.events if isinstance(event, SessionCreatedEvent) and event.data.parent_id)
    assert retry.data.error.status == 500
    assert child.data.parent_id == session
    children = (await client.session.list(parent_id=session)).data
    assert [info.id for info in children] == [child.data.session_id]
    assert await kinds(client, child.data.session_id) == ["user", "assistant", "idle"]
    found = await messages(client, session)
    assert "compaction" in [message.type for message in found]
    context = await client.session.context(session)
    assert unknown_fields([log.events, found, context, children]) == []


async def test_a_text_is_generated_without_a_session(settled: AsyncOpencode) -> None:
    with_limit = settled.with_options(timeout=LIMIT)
    assert "Hello" in str(await with_limit.generate.text(prompt="Hello"))

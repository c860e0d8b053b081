"""A client of the released contract drives real runs through the proxy: every reply and event has its shape."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from opencode import AsyncOpencode, ConflictError
from opencode.types import (
    FormCreatedEvent,
    ModelRef,
    PermissionAskedEvent,
    SessionExecutionSucceededEvent,
    SessionMessageIdle,
    SessionMessageUser,
    SessionTextDeltaEvent,
)

from tests.harness.opencode2.contract.unknown_fields import unknown_fields
from tests.harness.opencode2.driving import LIMIT, event_log, form, kinds, permission, prompt
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.scripted_model.opencode2 import question, shell
from tests.scripted_model.script import failure, hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_run_has_its_text_cost_tokens_and_idle_message(client: AsyncOpencode) -> None:
    # A separator of lines in a text ends no line of the log that the proxy reads.
    words = "All\u2028is well."
    async with event_log(client) as log:
        result = await client.session.run(script(text(words), say="Say it"), timeout=LIMIT)
        await log.of_kind(SessionExecutionSucceededEvent, result.session.id)
    assert (result.outcome, result.text, result.error) == ("succeeded", words, None)
    assert (result.tokens.input, result.tokens.output) == (100, 20)
    assert result.cost == pytest.approx(0.00014)
    assert [message.type for message in result.messages] == ["user", "assistant", "idle"]
    assert result.session.outcome == "succeeded"
    assert result.session.time.idle
    assert unknown_fields([result.session, result.messages, log.events]) == []
    assert any(isinstance(event, SessionTextDeltaEvent) for event in log.events)


async def test_the_idle_message_is_there_when_the_end_is_received(client: AsyncOpencode) -> None:
    async with event_log(client) as log:
        session = await prompt(client, script(text("Done already.")))
        await log.of_kind(SessionExecutionSucceededEvent, session)
        assert await kinds(client, session) == ["user", "assistant", "idle"]


async def test_a_failure_of_the_model_is_the_outcome_with_its_status(client: AsyncOpencode) -> None:
    result = await client.session.run(script(failure(401, "Invalid API key")), timeout=LIMIT)
    assert result.outcome == "failed"
    assert result.error
    assert (result.error.type, result.error.status) == ("provider.auth", 401)
    assert "Invalid API key" in result.error.message


async def test_an_unknown_model_leaves_its_reason_in_the_idle_message(client: AsyncOpencode) -> None:
    session = (await client.session.create(model=ModelRef(id="nope", provider_id="scripted"))).id
    await client.session.prompt(session, text=script(text("Never said.")))
    await client.session.wait(session)
    last = [message async for message in client.message.list(session, order="asc")][-1]
    assert isinstance(last, SessionMessageIdle)
    assert last.error
    assert last.error.type == "provider.no-route"


async def test_a_prompt_with_its_own_id_is_admitted_once(
    client: AsyncOpencode, scripted_model: ScriptedModel, switched_back: OpenCode2
) -> None:
    session, own = (await client.session.create(title="Once")).id, f"msg_{uuid4().hex}"
    admitted = [await client.session.prompt(session, id=own, text=script(text("Once."))) for _ in range(2)]
    await client.session.wait(session)
    other = await client.session.prompt(session, id=own, text="Something else")
    assert [item.id for item in (*admitted, other)] == [own] * 3
    assert other.payload.text == admitted[0].payload.text
    switched_back.switch(same_id_conflicts=True)
    with pytest.raises(ConflictError):
        await client.session.prompt(session, id=own, text="Something else")
    asked = await scripted_model.requests(session)
    assert [request["kind"] for request in asked].count("chat") == 1
    users = [message async for message in client.message.list(session, type="user")]
    assert [message.id for message in users] == [own]
    assert (await client.session.get(session)).title == "Once"


async def test_a_permission_is_asked_listed_and_answered(client: AsyncOpencode, shared_project: Path) -> None:
    async with event_log(client) as log:
        session = await prompt(client, script(shell("echo yes > allowed.txt"), text("Ran.")), agent="asking")
        asked = await log.of_kind(PermissionAskedEvent, session)
        listed = await client.permission.list(session)
        everywhere = (await client.permission.request_.list()).data
        assert [item.id for item in listed] == [asked.data.id]
        assert asked.data.id in [item.id for item in everywhere]
        assert listed[0].resources == ["echo yes > allowed.txt"]
        assert listed[0].source
        assert unknown_fields([listed, everywhere, await client.permission.get(session, asked.data.id)]) == []
        await client.permission.reply(session, asked.data.id, decision="once")
        await client.session.wait(session)
    assert (shared_project / "allowed.txt").exists()
    assert unknown_fields(log.events) == []


async def test_a_rejected_permission_ends_the_run_in_both_ways(client: AsyncOpencode, switched_back: OpenCode2) -> None:
    session = await prompt(client, script(shell("echo no > rejected.txt")), agent="asking")
    await client.permission.reply(session, await permission(client, session), decision="reject")
    await client.session.wait(session)
    assert await kinds(client, session) == ["user", "assistant"]
    assert (await client.session.get(session)).outcome is None
    switched_back.switch(user_rejects=True)
    assert await kinds(client, session) == ["user", "assistant", "idle"]
    assert (await client.session.get(session)).outcome == "interrupted"
    log: list[Any] = [item async for item in await client.session.log(session)]
    ends = [item for item in log if item.type == "session.execution.interrupted"]
    assert [end.data.reason for end in ends] == ["user"]


async def test_a_form_is_asked_read_and_answered(client: AsyncOpencode) -> None:
    async with event_log(client) as log:
        session = await prompt(client, script(question("Which colour?", "Red", "Blue"), text("Thanks.")))
        asked = (await log.of_kind(FormCreatedEvent, session)).data.form
    detail = await client.session.form.get(session, asked.id)
    pending = (await client.form.list()).data
    assert detail.state.status == "pending"
    assert asked.id in [item.id for item in pending]
    assert unknown_fields([asked, detail, pending]) == []
    await client.session.form.reply(session, asked.id, answer={"q0": "Blue"})
    await client.session.wait(session)
    assert (await client.session.form.get(session, asked.id)).state.status == "answered"
    assert await kinds(client, session) == ["user", "assistant", "assistant", "idle"]


async def test_a_cancelled_form_ends_the_run(client: AsyncOpencode) -> None:
    session = await prompt(client, script(question("Which colour?", "Red", "Blue"), text("Never said.")))
    await client.session.form.cancel(session, await form(client, session), message="Not now")
    await client.session.wait(session)
    assert await client.session.form.list(session) == []
    assert await kinds(client, session) == ["user", "assistant"]


async def test_an_interrupt_says_whether_there_was_something_to_interrupt(
    client: AsyncOpencode, scripted_model: ScriptedModel, opencode2: OpenCode2
) -> None:
    name = uuid4().hex
    session = await prompt(client, script(step(text("Before. "), hold(name), text("After."))))
    await scripted_model.reached(name)
    waiting = await client.session.prompt(session, text="Later", delivery="queue")
    inbox = await client.session.inbox.list(session)
    async with opencode2.client() as http:
        active = (await http.get("/api/session/active")).json()["data"]
    assert [item.id for item in inbox] == [waiting.id]
    assert unknown_fields(inbox) == []
    assert active[session] == {"type": "running"}
    assert (await client.session.interrupt(session)).interrupted is True
    await client.session.wait(session)
    assert (await client.session.interrupt(session)).interrupted is False
    assert (await client.session.get(session)).outcome == "interrupted"


async def test_a_command_is_run_and_shows_as_a_prompt(client: AsyncOpencode) -> None:
    session = (await client.session.create()).id
    await client.session.command(session, name="greet", text="the world")
    await client.session.wait(session)
    found = [message async for message in client.message.list(session, type="user")]
    assert isinstance(found[0], SessionMessageUser)
    assert "Say hello to the world" in found[0].text

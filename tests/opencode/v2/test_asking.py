"""Permissions, questions and forms of OpenCode 2, asked and answered by its adapter on the preview engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission
from tests.harness.opencode2.asking import WAIT, calling, ended, permission_of, question_of, started, text_of
from tests.harness.opencode2.running import OpenCode2
from tests.harness.waiting import eventually
from tests.scripted_model.opencode2 import question, shell, subagent
from tests.scripted_model.script import script, text, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
BOTH_REJECTIONS = pytest.mark.parametrize("rejects", [False, True], ids=["shutdown", "user"], indirect=True)


@pytest.fixture
async def client(opencode2: OpenCode2) -> AsyncIterator[OpenCodeClient]:
    async with calling(opencode2) as client:
        yield client


@pytest.fixture
def rejects(opencode2: OpenCode2, request: pytest.FixtureRequest) -> Iterator[None]:
    """Set what the server does with a rejection, for a test that is parametrized with it."""
    opencode2.switch(user_rejects=request.param)
    yield
    opencode2.switch(user_rejects=False)


async def test_a_permission_names_its_call_and_is_answered_once(client: OpenCodeClient, shared_project: Path) -> None:
    session = await started(client, shared_project, script(shell("echo asked"), text("Done.")), agent="asking")
    asked = await permission_of(client, session)
    assert (asked.permission, asked.patterns, asked.always) == ("shell", ["echo asked"], ["echo asked"])
    assert asked.tool
    message = await client.session_message(session.id, asked.tool.message_id)
    calls = [part for part in message.parts if isinstance(part, ToolPart) and part.call_id == asked.tool.call_id]
    assert [part.state.input["command"] for part in calls] == ["echo asked"]
    await client.permission_reply(asked, session.directory, "once")
    (call,) = await ended(client, session)
    assert (call.state.status, "asked" in call.state.output) == ("completed", True)
    for decision in ("once", "reject"):
        with pytest.raises(NotFound):
            await client.permission_reply(asked, session.directory, decision)


@BOTH_REJECTIONS
@pytest.mark.usefixtures("rejects")
async def test_a_rejection_stops_the_run_and_one_with_a_message_does_not(
    client: OpenCodeClient, shared_project: Path
) -> None:
    words = script(shell("echo no"), text("I went on."))
    stopped = await started(client, shared_project, words, agent="asking")
    await client.permission_reply(await permission_of(client, stopped), stopped.directory, "reject")
    (call,) = await ended(client, stopped)
    assert call.state.status == "error"
    assert "I went on." not in await text_of(client, stopped)
    goes_on = await started(client, shared_project, words, agent="asking")
    await client.permission_reply(await permission_of(client, goes_on), goes_on.directory, "reject", "Do without.")
    (call,) = await ended(client, goes_on)
    assert call.state.status == "error"
    assert "I went on." in await text_of(client, goes_on)


@BOTH_REJECTIONS
@pytest.mark.usefixtures("rejects")
async def test_a_question_is_answered_or_rejected_which_stops_the_run(
    client: OpenCodeClient, shared_project: Path
) -> None:
    words = script(question("Which colour?", "Red", "Blue", header="Colour"), text("I went on."))
    answered = await started(client, shared_project, words)
    asked = await question_of(client, answered)
    assert [(item.question, item.header, item.kind, item.custom) for item in asked.questions] == [
        ("Which colour?", "Colour", "choice", True)
    ]
    with pytest.raises(InvalidArgument):
        await client.question_reply(asked, answered.directory, [[]])
    await client.question_reply(asked, answered.directory, [["Green"]])
    (call,) = await ended(client, answered)
    assert "Green" in call.state.output
    for late in (client.question_reply(asked, answered.directory, [["Red"]]), client.question_reject(asked, "")):
        with pytest.raises(NotFound):
            await late
    rejected = await started(client, shared_project, words)
    await client.question_reject(await question_of(client, rejected), rejected.directory)
    (call,) = await ended(client, rejected)
    assert call.state.status == "error"
    assert "I went on." not in await text_of(client, rejected)


async def test_rejecting_a_subagents_permission_stops_the_subagent_alone(
    client: OpenCodeClient, shared_project: Path
) -> None:
    inner = script(tool("read", path="/etc/hostname"), text("Read."))
    session = await started(client, shared_project, script(subagent(inner), text("I went on.")))

    async def look() -> list[Permission]:
        found = await client.permissions(session.directory)
        children = {child.id for child in await client.session_children(session.id)}
        return [item for item in found if item.session_id in children]

    asked = (await eventually(look, seconds=WAIT))[0]
    await client.permission_reply(asked, session.directory, "reject")
    (call,) = await ended(client, session)
    assert (call.state.status, await text_of(client, session)) == ("error", "I went on.")
    assert asked.session_id not in await client.session_status(session.directory)

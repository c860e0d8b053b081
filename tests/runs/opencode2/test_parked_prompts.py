"""A prompt that OpenCode 2 accepted and never began is reported at once, with what becomes of it."""

from collections.abc import AsyncIterator

import anyio
import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome import state
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.runs.reports.reporter import LEFT_IN_INBOX, WITHDRAWN
from opencode_mcp.runs.run_record import Run
from tests.harness.opencode2.standin.app import running_standin
from tests.harness.waiting import eventually
from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import script, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(autouse=True)
def no_end_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without events does not count as lost: the inbox decides."""
    monkeypatch.setattr(state, "IDLE_LIMIT_SECONDS", 10 * WAIT)


@pytest.fixture
async def standin() -> AsyncIterator[OpenCodeClient]:
    """A server that begins no prompt, and can take prompts back."""
    async with running_standin() as server:
        endpoint = Endpoint(url=server.url, password=server.password, generation=2)
        async with connected(endpoint) as client:
            yield client


async def parked(client: OpenCodeClient, session: Session) -> Run:
    """Give a session a prompt that it does not begin; a client may ask for that."""
    body = {"id": new_message_id(), "text": script(text("Never said.")), "delivery": "queue", "resume": False}
    await client.call("session.prompt", path={"sessionID": session.id}, body=body)
    return Run(session.directory, session.id, str(body["id"]))


async def test_a_prompt_that_was_never_begun_is_reported_as_stopped_and_still_there(
    worker: Worker, client: OpenCodeClient
) -> None:
    first = await worker.run(text("Before."))
    run = await parked(client, session_of(first))
    with anyio.fail_after(WAIT):
        report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text, report.note) == ("aborted", "", LEFT_IN_INBOX)
    looked = await worker.runs.follow(run, 0)
    assert (looked.status, looked.note) == ("aborted", LEFT_IN_INBOX)
    stopped, stop = await worker.runs.abort(run)
    assert (stopped.status, stop.was_running) == ("aborted", False)


async def test_a_prompt_in_the_inbox_is_the_run_that_its_session_has(worker: Worker, client: OpenCodeClient) -> None:
    session = await client.session_create(worker.directory)
    run = await parked(client, session)
    assert (await worker.runs.find(session)).message_id == run.message_id
    assert (await worker.runs.find(session, run.message_id)).message_id == run.message_id
    with pytest.raises(NotFound, match="no prompt 'msg_nosuch'") as refused:
        await worker.runs.find(session, "msg_nosuch")
    assert run.message_id in refused.value.hint


async def test_a_prompt_that_could_not_be_begun_is_reported_with_the_reason(
    worker: Worker, client: OpenCodeClient
) -> None:
    session = await client.session_create(worker.directory)
    await client.call("session.switchAgent", path={"sessionID": session.id}, body={"agent": "removed"})
    run = await worker.start(text("Never said."), session=session)
    with anyio.fail_after(WAIT):
        report = await worker.runs.follow(run, WAIT)
    assert report.status == "failed"
    assert "removed" in report.error
    assert report.note == LEFT_IN_INBOX


async def test_a_prompt_that_waits_for_its_turn_is_not_taken_for_a_stopped_one(
    worker: Worker, client: OpenCodeClient
) -> None:
    first = await worker.start(text("First."))
    later = PromptSubmission(message_id=new_message_id(), text=script(text("Second.")))
    await client.submit_prompt(first.session_id, first.directory, later)
    report = await worker.runs.follow(Run(first.directory, first.session_id, later.message_id), WAIT)
    assert (report.status, report.text) == ("completed", "Second.")


async def test_a_prompt_in_the_inbox_is_withdrawn_where_the_server_can(standin: OpenCodeClient) -> None:
    session = await standin.session_create("/tmp/anywhere")  # noqa: S108 - the stand-in opens nothing
    kept, gone = [await parked(standin, session) for _ in range(2)]
    assert await standin.pending_prompts(session.id) == [kept.message_id, gone.message_id]
    assert await standin.withdraw_prompt(session.id, gone.message_id)
    assert await standin.pending_prompts(session.id) == [kept.message_id]


async def test_a_prompt_that_was_sent_from_here_is_withdrawn_once(
    worker: Worker, client: OpenCodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    async def withdraw(_self: OpenCodeClient, _session_id: str, message_id: str) -> bool:
        taken.append(message_id)
        return True

    # The preview of OpenCode 2 cannot take a prompt back.
    monkeypatch.setattr(OpenCodeClient, "withdraw_prompt", withdraw)
    session = await client.session_create(worker.directory)
    await client.call("session.switchAgent", path={"sessionID": session.id}, body={"agent": "removed"})
    run = await worker.start(text("Never said."), session=session)
    reports = [await worker.runs.follow(run, WAIT) for _ in range(2)]
    assert [(report.status, report.note) for report in reports] == [("failed", WITHDRAWN)] * 2
    assert "removed" in reports[1].error
    assert taken == [run.message_id]

    async def look() -> bool:
        return run.message_id in await client.pending_prompts(session.id)

    assert await eventually(look)
    others = await parked(client, session)
    assert (await worker.runs.follow(others, WAIT)).note == LEFT_IN_INBOX
    assert taken == [run.message_id]

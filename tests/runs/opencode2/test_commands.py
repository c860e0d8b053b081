"""Slash commands and shell lines on OpenCode 2: each is a run that is found again by the id of its prompt."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Transport
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.runs.commands import Commands, ShellLine, SlashCommand
from opencode_mcp.runs.outcome import state
from opencode_mcp.runs.run_note import ANY_PROMPT, Notes
from opencode_mcp.runs.run_record import Run, all_answers
from opencode_mcp.runs.starting.start_options import StartOptions
from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import bash, script, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


def greeting(worker: Worker, *words: str) -> SlashCommand:
    said = [text(word) for word in words]
    return SlashCommand(name="greet", arguments=script(*said), directory=worker.directory)


async def prompts_in(client: OpenCodeClient, session_id: str) -> list[str]:
    messages = (await client.session_messages(session_id, limit=50)).items
    return [message.info.id for message in messages if message.info.role == "user"]


async def test_a_command_is_a_run_of_the_prompt_that_opencode_made_for_it(
    worker: Worker, commands: Commands, client: OpenCodeClient, notes: Notes
) -> None:
    noted: list[Run] = []
    run = await commands.start(
        greeting(worker, "Hello."), options=StartOptions(caller_limit="human", before_send=noted.append)
    )
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text, report.message_id) == ("completed", "Hello.", run.message_id)
    assert await prompts_in(client, run.session_id) == [run.message_id]
    assert [item.message_id for item in noted] == [ANY_PROMPT, run.message_id]
    found = await worker.runs.find(await client.session_get(run.session_id))
    assert (found.message_id, found.caller_limit) == (run.message_id, "human")
    written = [note.message_id for note in notes.of(await client.session_get(run.session_id))]
    assert written == [run.message_id]


async def test_a_command_in_a_session_with_earlier_prompts_is_distinguished_from_them(
    worker: Worker, commands: Commands, client: OpenCodeClient
) -> None:
    first = await worker.run(text("Before."))
    run = await commands.start(greeting(worker, "Hello again."), session_of(first))
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text) == ("completed", "Hello again.")
    assert await prompts_in(client, run.session_id) == [first.message_id, run.message_id]


async def test_a_command_that_changes_a_session_for_later_prompts_says_so_once(
    worker: Worker, commands: Commands
) -> None:
    first = await worker.run(text("First."), agent="build", model="scripted/m1")
    drafting = SlashCommand(name="draft", arguments=script(text("Drafted.")), directory=worker.directory)
    run = await commands.start(drafting, session_of(first))
    reports = [await worker.runs.follow(run, WAIT) for _ in range(2)]
    assert [(report.agent, report.model) for report in reports] == [("plan", "scripted/m2")] * 2
    assert [report.note for report in reports] == [
        "The session now uses agent plan and model scripted/m2, also for later prompts that name none.",
        "",
    ]


async def test_a_command_with_a_choice_of_the_callers_says_what_it_changed(worker: Worker, commands: Commands) -> None:
    first = await worker.run(text("First."), agent="build", model="scripted/m1")
    chosen = replace(greeting(worker, "Hello."), model="scripted/m2")
    report = await worker.runs.follow(await commands.start(chosen, session_of(first)), WAIT)
    assert report.note == "The session now uses model scripted/m2, also for later prompts that name none."
    alone = await worker.runs.follow(await commands.start(chosen), WAIT)
    assert (alone.model, alone.note) == ("scripted/m2", "")


async def test_a_command_whose_reply_was_lost_is_found_and_not_sent_again(
    worker: Worker, commands: Commands, client: OpenCodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send
    sent: list[HttpRequest] = []

    async def lose(
        self: Transport, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Reply:
        reply = await send(self, request, timeout=timeout, queued=queued)
        if request.path.endswith("/command") and request.method == "POST":
            sent.append(request)
            raise BackendUnavailable("The connection broke.", sent=True)
        return reply

    monkeypatch.setattr(Transport, "send", lose)
    run = await commands.start(greeting(worker, "Once."))
    assert (await worker.runs.follow(run, WAIT)).text == "Once."
    assert len(sent) == 1
    assert await prompts_in(client, run.session_id) == [run.message_id]


async def test_a_command_that_may_run_is_not_to_be_sent_again_whatever_else_fails(
    worker: Worker, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send
    times: list[float] = []

    async def lose(
        self: Transport, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Reply:
        if times:
            raise BackendUnavailable("Nothing answers.", sent=False)
        if request.path.endswith("/command") and request.method == "POST":
            times.append(timeout)
            raise BackendUnavailable("The connection broke.", hint="Call again.", sent=True)
        return await send(self, request, timeout=timeout, queued=queued)

    monkeypatch.setattr(Transport, "send", lose)
    with pytest.raises(BackendUnavailable, match=r"The connection broke\..*ses_.*Do not send it again\."):
        await commands.start(greeting(worker, "Once."))
    assert times == [READ_TIMEOUT_SECONDS / 2]


async def test_a_shell_line_runs_on_for_longer_than_a_run_may_be_idle(
    worker: Worker, commands: Commands, client: OpenCodeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "IDLE_LIMIT_SECONDS", 0.2)
    session = session_of(await worker.run(text("Before.")))
    gate = tmp_path / "gate"
    line = f"echo one; until [ -e {gate} ]; do sleep 0.1; done; echo two"
    run = await commands.shell(ShellLine(line=line, directory=session.directory), session)
    assert (await worker.runs.follow(run, 1)).status == "running"
    gate.touch()
    report = await worker.runs.follow(run, WAIT)
    assert report.status == "completed"
    printed = [
        part.state.output
        for message in await all_answers(client, run)
        for part in message.parts
        if isinstance(part, ToolPart)
    ]
    assert printed == ["one\ntwo\n"]


async def test_a_shell_line_is_stopped(worker: Worker, commands: Commands) -> None:
    session = session_of(await worker.run(text("Before.")))
    run = await commands.shell(ShellLine(line=f"echo {uuid4().hex}; sleep 300", directory=session.directory), session)
    with anyio.fail_after(WAIT):
        report, stop = await worker.runs.abort(run)
    assert stop.was_running
    assert (report.status, report.message_id) == ("aborted", run.message_id)
    after = await worker.run(bash("echo after"), text("After."), session=session)
    assert (after.status, after.text) == ("completed", "After.")

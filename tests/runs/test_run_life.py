"""The life of a prompt on the real OpenCode: started once, found again by anyone, ended exactly once."""

from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import Any

import anyio
import httpx
import pytest

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidArgument,
    NoRunYet,
    NotFound,
    SessionBusy,
    Unauthorized,
    UnsupportedOperation,
)
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import TOO_LARGE, UNREADABLE, HttpRequest, Reply
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.v1 import event_parser
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission, Receipt
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.runs import run_record
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.outcome import state
from opencode_mcp.runs.outcome.run_report import ChangedFile, Usage
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.reports import reporter
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Notes
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.session_stopping import SessionTree, StopResult
from opencode_mcp.runs.starting.start_options import StartOptions
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import (
    bash,
    edit,
    failure,
    hold,
    question,
    script,
    step,
    structured,
    task,
    text,
    todos,
    usage,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}


async def prompts_in(http: httpx.AsyncClient, session_id: str) -> list[str]:
    """The ids of what a person wrote in a session."""
    messages = (await http.get(f"/session/{session_id}/message")).raise_for_status().json()
    return [message["info"]["id"] for message in messages if message["info"]["role"] == "user"]


async def test_a_run_reports_what_it_said_did_and_cost(tracker: Worker) -> None:
    report = await tracker.run(
        step(write("made.txt", "one\ntwo\n"), usage(input=1000, output=100)),
        step(edit("docs/notes.txt", "two", "zwei"), usage(input=1000, output=100)),
        step(todos(("Plan", "completed"), ("Build", "pending"))),
        bash("echo three > more.txt"),
        text("All is done."),
        title="A sample",
    )
    assert (report.status, report.text, report.error) == ("completed", "All is done.", "")
    assert sorted(report.files, key=lambda file: file.path) == [
        ChangedFile(path="docs/notes.txt", change="modified", added=1, removed=1),
        ChangedFile(path="made.txt", change="added", added=2, removed=0),
        ChangedFile(path="more.txt", change="added", added=1, removed=0),
    ]
    assert report.todos == ["[x] Plan", "[ ] Build"]
    assert report.tokens == Usage(input=2300, output=260)
    assert report.cost == pytest.approx(2300e-6 + 260 * 2e-6)
    assert (report.model, report.agent, report.title) == ("scripted/m1", "build", "A sample")
    assert report.seconds > 0
    assert report.pending == []


async def test_a_report_read_again_is_the_same_and_needs_nothing_that_was_kept(
    tracker: Worker, hub: Hub, notes: Notes
) -> None:
    first = await tracker.run(write("again.txt", "x\n"), text("Once."))
    other = Runs(hub, notes)
    again = await other.follow(await other.find(session_of(first)), 0)
    assert again == first


async def test_the_next_prompt_in_a_session_reports_only_itself(tracker: Worker) -> None:
    first = await tracker.run(write("first.txt", "x\n"), text("First."))
    second = await tracker.run(text("Second."), session=session_of(first))
    assert (second.session_id, second.text, second.files) == (first.session_id, "Second.", [])
    earlier = await tracker.runs.follow(Run(first.directory, first.session_id, first.message_id), 0)
    assert (earlier.text, earlier.files) == ("First.", first.files)


async def test_a_file_that_a_run_made_and_removed_again_is_no_change(tracker: Worker) -> None:
    report = await tracker.run(bash("echo x > passing.txt"), bash("rm passing.txt"), text("Gone."))
    assert (report.status, report.text, report.files) == ("completed", "Gone.", [])


async def test_looking_at_a_run_does_not_wait_for_it(worker: Worker, scripted_model: ScriptedModel) -> None:
    run = await worker.start(step(hold("looked at"), text("Later.")))
    await scripted_model.reached("looked at")
    assert (await worker.runs.follow(run, 0)).status == "running"
    await scripted_model.release("looked at")
    assert (await worker.runs.follow(run, WAIT)).text == "Later."


async def test_a_wait_that_is_over_reports_what_was_written_so_far(
    worker: Worker, scripted_model: ScriptedModel
) -> None:
    run = await worker.start(step(text("Half of it, "), hold("half"), text("and the rest.")))
    report = await worker.runs.follow(run, 2)
    assert report.status == "running"
    assert "Half of it," in report.text
    await scripted_model.release("half")
    assert (await worker.runs.follow(run, WAIT)).text == "Half of it, and the rest."


async def test_a_second_prompt_is_refused_with_the_first_ones_words_and_never_sent(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    run = await worker.start(step(hold("busy"), text("First.")))
    await scripted_model.reached("busy")
    with pytest.raises(SessionBusy, match=f"{run.session_id} is running another prompt: 'Do as the script says"):
        await worker.start(text("Second."), session=session_of(run))
    assert await prompts_in(http, run.session_id) == [run.message_id]
    await scripted_model.release("busy")
    await worker.runs.follow(run, WAIT)


async def test_of_two_prompts_at_once_in_one_session_one_is_refused(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    session = session_of(await worker.run(text("Begin.")))
    outcomes: list[str] = []

    async def start(name: str) -> None:
        try:
            await worker.start(step(hold("race"), text(name)), session=session)
        except SessionBusy:
            outcomes.append("refused")
        else:
            outcomes.append("started")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start, "one")
        tasks.start_soon(start, "other")
    assert sorted(outcomes) == ["refused", "started"]
    await scripted_model.release("race")
    await worker.runs.follow(await worker.runs.find(session), WAIT)
    assert len(await prompts_in(http, session.id)) == 2


async def test_a_prompt_whose_reply_was_lost_is_followed_and_not_sent_again(
    worker: Worker, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = OpenCodeClient.submit_prompt

    async def send_and_break(self: OpenCodeClient, *arguments: Any, timeout: float) -> None:  # noqa: ANN401
        await send(self, *arguments, timeout=timeout)
        raise BackendUnavailable("The connection broke.", sent=True)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", send_and_break)
    report = await worker.run(text("Received."))
    assert (report.status, report.text) == ("completed", "Received.")
    assert await prompts_in(http, report.session_id) == [report.message_id]


UNREAD = [
    BackendFailed("OpenCode's answer is larger than 64 MB.", kind=TOO_LARGE),
    BackendFailed("OpenCode's answer is not JSON that can be used.", status=200),
    BackendFailed("OpenCode cannot encode its own answer.", status=400, kind=UNREADABLE),
    BackendFailed("OpenCode failed: Unexpected server error.", status=500),
]


@pytest.mark.parametrize("error", UNREAD, ids=["too large", "no JSON", "not encoded", "failed"])
async def test_a_prompt_whose_reply_cannot_be_used_is_followed_and_not_sent_again(
    worker: Worker, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, error: BackendFailed
) -> None:
    send = OpenCodeClient.submit_prompt

    async def send_and_fail(self: OpenCodeClient, *arguments: Any, timeout: float) -> None:  # noqa: ANN401
        await send(self, *arguments, timeout=timeout)
        raise error

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", send_and_fail)
    report = await worker.run(text("Received."))
    assert (report.status, report.text) == ("completed", "Received.")
    assert await prompts_in(http, report.session_id) == [report.message_id]


async def test_a_prompt_that_opencode_failed_at_and_never_began_is_reported_with_its_words(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_arguments: object, **_named: object) -> None:
        raise BackendFailed("OpenCode failed: the disk is full.", status=500)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", fail)
    report = await worker.run(text("Never begun."))
    assert (report.status, report.error) == ("failed", "OpenCode failed: the disk is full.")


@pytest.mark.parametrize(
    "error",
    [InvalidArgument("Refused."), NotFound("Gone."), Unauthorized("No."), UnsupportedOperation("Unknown.")],
    ids=lambda error: type(error).__name__,
)
async def test_a_prompt_that_opencode_refused_is_an_error_and_no_run(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, error: BridgeError
) -> None:
    async def refuse(*_arguments: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", refuse)
    with pytest.raises(type(error)):
        await worker.start(text("Refused."))


async def test_a_wire_that_breaks_right_after_the_prompt_hides_no_run(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, broken = OpenCodeClient.submit_prompt, False
    status = OpenCodeClient.session_status

    async def send_and_break(self: OpenCodeClient, *arguments: Any, timeout: float) -> Receipt:  # noqa: ANN401
        nonlocal broken
        accepted = await send(self, *arguments, timeout=timeout)
        broken = True
        return accepted

    async def look(self: OpenCodeClient, directory: str) -> Mapping[str, SessionStatus]:
        if broken:
            raise BackendUnavailable("The connection broke.", sent=True)
        return await status(self, directory)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", send_and_break)
    monkeypatch.setattr(OpenCodeClient, "session_status", look)
    # The stream is too late to show it.
    monkeypatch.setattr(event_parser, "PARSERS", {})
    run = await worker.start(text("Received."))
    broken = False
    assert (await worker.runs.follow(run, WAIT)).text == "Received."


async def test_a_prompt_that_may_never_have_arrived_is_given_up_after_a_while(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def swallow(*_arguments: object, **_named: object) -> None:
        raise BackendUnavailable("The connection broke.", sent=True)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", swallow)
    monkeypatch.setattr(state, "IDLE_LIMIT_SECONDS", 0.3)
    report = await worker.run(text("Never heard."))
    assert (report.status, report.text) == ("failed", "")
    assert "never finished" in report.error


@pytest.fixture
async def slow_to_begin(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """OpenCode says at once that it has a prompt, and begins with it a moment later, as it does on a busy machine."""
    send = OpenCodeClient.submit_prompt

    async def send_late(
        self: OpenCodeClient, session_id: str, directory: str, prompt: PromptSubmission, *, timeout: float
    ) -> Receipt:
        async def late() -> None:
            await anyio.sleep(0.5)
            await send(self, session_id, directory, prompt, timeout=timeout)

        tasks.start_soon(late)
        return Receipt(message_id=prompt.message_id)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", send_late)
    async with anyio.create_task_group() as tasks:
        yield


@pytest.mark.usefixtures("slow_to_begin")
async def test_a_prompt_that_begins_late_in_an_old_session_is_waited_for(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(await worker.run(text("Begin.")))
    monkeypatch.setattr(state, "IDLE_LIMIT_SECONDS", 2.0)
    await anyio.sleep(2.1)  # the session is old now
    report = await worker.run(text("Late."), session=session)
    assert (report.status, report.text) == ("completed", "Late.")


@pytest.mark.usefixtures("slow_to_begin")
async def test_a_prompt_that_has_not_begun_yet_keeps_the_next_one_out(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    run = await worker.start(step(hold("not begun"), text("First.")))
    with pytest.raises(SessionBusy):
        await worker.start(text("Second."), session=session_of(run))
    await scripted_model.release("not begun")
    await worker.runs.follow(run, WAIT)
    assert await prompts_in(http, run.session_id) == [run.message_id]


async def test_a_prompt_is_no_looser_than_the_subagents_that_still_work_for_an_earlier_one(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    asked = Prompt(text=script(text("First.")), directory=worker.directory)
    first = await worker.runs.start(asked, options=StartOptions(caller_limit="human", starter="person"))
    await worker.runs.follow(first, WAIT)
    # As a subagent that OpenCode has detached: it is busy, and its parent is idle.
    child = (await http.post("/session", json={"parentID": first.session_id})).json()["id"]
    parts = [{"type": "text", "text": script(step(hold("detached"), text("Late.")))}]
    await http.post(f"/session/{child}/prompt_async", json={"parts": parts})
    await scripted_model.reached("detached")
    strict = await worker.start(text("Second."), session=session_of(first))
    await worker.runs.follow(strict, WAIT)
    assert (strict.caller_limit, strict.starter) == ("human", "person")
    await scripted_model.release("detached")

    async def idle() -> bool:
        return child not in (await http.get("/session/status")).json()

    await eventually(idle)
    loose = await worker.start(text("Third."), session=session_of(first))
    assert (loose.caller_limit, loose.starter) == ("allow", "agent")
    await worker.runs.follow(loose, WAIT)


async def test_a_prompt_that_was_never_sent_is_an_error_and_leaves_no_session(
    worker: Worker, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[str] = []

    async def refuse(_client: OpenCodeClient, session_id: str, *_arguments: object, **_named: object) -> None:
        sessions.append(session_id)
        raise BackendUnavailable("Nothing answers.", sent=False)

    monkeypatch.setattr(OpenCodeClient, "submit_prompt", refuse)
    with pytest.raises(BackendUnavailable):
        await worker.start(text("Never sent."))
    [session_id] = sessions
    assert (await http.get(f"/session/{session_id}")).status_code == HTTPStatus.NOT_FOUND


async def test_a_session_that_may_have_been_created_is_mentioned(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send

    async def lose(self: Transport, request: HttpRequest, *, timeout: float = WAIT, queued: bool = True) -> Reply:
        if (request.method, request.path) in {("POST", "/session"), ("POST", "/api/session")}:
            raise BackendTimeout("OpenCode did not answer.")
        return await send(self, request, timeout=timeout, queued=queued)

    monkeypatch.setattr(Transport, "send", lose)
    with pytest.raises(BackendTimeout, match="OpenCode may have made an empty session"):
        await worker.start(text("Never sent."))


async def test_a_run_that_somebody_else_started_is_found_and_followed(worker: Worker, http: httpx.AsyncClient) -> None:
    created = (await http.post("/session", json={})).json()["id"]
    body = {"parts": [{"type": "text", "text": script(text("By hand."))}]}
    await http.post(f"/session/{created}/prompt_async", json=body)
    run = await worker.runs.find(Session(id=created, directory=worker.directory))
    assert (await worker.runs.follow(run, WAIT)).text == "By hand."


async def test_a_session_without_prompts_has_no_run(worker: Worker, http: httpx.AsyncClient) -> None:
    created = (await http.post("/session", json={})).json()["id"]
    with pytest.raises(NoRunYet, match=f"{created} has no run yet"):
        await worker.runs.find(Session(id=created, directory=worker.directory))


async def test_a_prompt_that_the_session_does_not_have_is_not_found(worker: Worker) -> None:
    report = await worker.run(text("Only this."))
    with pytest.raises(NotFound, match="msg_nosuch"):
        await worker.runs.find(session_of(report), "msg_nosuch")
    with pytest.raises(NotFound, match="nosuch") as wrong:
        await worker.runs.find(session_of(report), "nosuch")
    assert report.message_id in wrong.value.hint
    by_answer = await worker.runs.find(session_of(report), report.text_message)
    assert by_answer.message_id == report.message_id


async def test_an_aborted_run_keeps_what_it_did(tracker: Worker, scripted_model: ScriptedModel) -> None:
    run = await tracker.start(write("kept.txt", "x\n"), step(text("So far. "), hold("abort"), text("Never said.")))
    await scripted_model.reached("abort")
    report, stop = await tracker.runs.abort(run)
    assert (report.status, stop) == ("aborted", StopResult(was_running=True))
    assert [file.path for file in report.files] == ["kept.txt"]
    assert "So far." in report.text
    again, stop = await tracker.runs.abort(run)
    assert (again.status, stop) == ("aborted", StopResult(was_running=False))


async def test_aborting_stops_the_subagents_too(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    run = await worker.start(task(script(step(hold("child"), text("Never said.")))), text("Never either."))
    await scripted_model.reached("child")
    report, _ = await worker.runs.abort(run)
    assert report.status == "aborted"
    assert len(report.children) == 1
    assert report.children[0] not in (await http.get("/session/status")).json()


async def test_what_began_after_a_stop_was_asked_for_is_reported(
    worker: Worker, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    abort = OpenCodeClient.session_abort

    async def abort_late(self: OpenCodeClient, session_id: str, directory: str) -> None:
        async def begun() -> bool:
            return bool(await SessionTree(self, session_id, directory).started_calls())

        await scripted_model.release("late")
        await eventually(begun)
        await abort(self, session_id, directory)

    monkeypatch.setattr(OpenCodeClient, "session_abort", abort_late)
    run = await worker.start(step(hold("late"), bash("echo begun; sleep 30")), text("Never said."))
    await scripted_model.reached("late")
    report, stop = await worker.runs.abort(run)
    assert report.status == "aborted"
    assert [call.describe(worker.directory) for call in stop.began_late] == ["bash: echo begun; sleep 30"]


async def test_a_prompt_right_after_an_abort_is_not_ended_by_what_the_first_one_left(
    worker: Worker, scripted_model: ScriptedModel
) -> None:
    for number in range(2):
        first = await worker.start(step(text("First. "), hold(f"stale {number}")))
        await scripted_model.reached(f"stale {number}")
        await worker.runs.stop(first)
        report = await worker.run(step(bash("sleep 0.3")), text("Second."), session=session_of(first))
        assert (report.status, report.text) == ("completed", "Second.")


async def test_a_failing_model_is_reported_in_its_own_words(worker: Worker) -> None:
    report = await worker.run(failure(401, "Invalid API key"))
    assert report.status == "failed"
    assert "Invalid API key" in report.error
    assert "401" in report.error


async def test_a_context_that_overflows_is_compacted_and_the_run_completes(worker: Worker) -> None:
    first = await worker.run(text("Something to forget."))
    overflow = failure(400, "Too long", code="context_length_exceeded", times=1)
    report = await worker.run(step(overflow, text("After.")), session=session_of(first))
    assert (report.status, report.text) == ("completed", "After.")


async def test_all_steps_of_a_run_that_fills_several_pages_are_counted(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_record, "MESSAGES_A_PAGE", 3)
    steps = [step(todos((f"Step {number}", "pending")), usage(input=100, output=10)) for number in range(7)]
    report = await worker.run(*steps, step(text("Long."), usage(input=100, output=10)))
    assert (report.status, report.text) == ("completed", "Long.")
    assert report.tokens == Usage(input=800, output=80)


async def test_prompts_one_after_the_other_need_no_search_for_merged_ones(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await worker.run(text("First."))
    monkeypatch.delattr(reporter, "read_merged")
    second = await worker.run(bash("true"), text("Second."), session=session_of(first))
    assert (second.status, second.text, second.merged_with) == ("completed", "Second.", [])


async def test_a_question_ends_the_wait_and_its_answer_lets_the_run_go_on(
    worker: Worker, http: httpx.AsyncClient
) -> None:
    run = await worker.start(question("Which?", "Red", "Blue"), text("Thanks."))
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, [request.asks for request in report.pending]) == ("needs_input", ["Which?"])
    await http.post(f"/question/{report.pending[0].request_id}/reply", json={"answers": [["Red"]]})
    assert (await worker.runs.follow(run, WAIT)).text == "Thanks."


async def test_a_run_that_a_dismissed_question_ended_keeps_its_own_report(
    worker: Worker, http: httpx.AsyncClient
) -> None:
    run = await worker.start(question("Which?", "Red"))
    report = await worker.runs.follow(run, WAIT)
    await http.post(f"/question/{report.pending[0].request_id}/reject")
    first = await worker.runs.follow(run, WAIT)
    assert (first.status, first.text) == ("completed", "")
    second = await worker.run(text("Second."), session=session_of(run))
    assert (second.text, second.merged_with) == ("Second.", [])
    again = await worker.runs.follow(run, 0)
    assert (again.status, again.text) == ("completed", "")


async def test_a_request_that_an_aborted_run_left_behind_is_not_believed(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    created = await http.post(
        "/session", json={"permission": [{"permission": "bash", "pattern": "*", "action": "ask"}]}
    )
    session = Session(id=created.json()["id"], directory=worker.directory)
    run = await worker.start(bash("ls"), text("Never said."), session=session)
    asked = (await worker.runs.follow(run, WAIT)).pending[0]
    await worker.runs.abort(run)
    assert asked.request_id in [entry["id"] for entry in (await http.get("/permission")).json()], "the trap is there"
    run = await worker.start(step(hold("left behind")), session=session)
    await scripted_model.reached("left behind")
    assert (await worker.runs.follow(run, 0)).status == "running"
    await scripted_model.release("left behind")


async def test_a_structured_answer_that_fits_completes_the_run(worker: Worker) -> None:
    report = await worker.run(structured({"answer": 42}), output_schema=SCHEMA)
    assert (report.status, report.output) == ("completed", {"answer": 42})


async def test_a_structured_answer_that_does_not_fit_fails_the_run_and_shows_both(worker: Worker) -> None:
    run = await worker.start(structured({"answer": "many"}), output_schema=SCHEMA)
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.output) == ("failed", {"answer": "many"})
    assert "'many' is not of type 'integer'" in report.error
    assert await worker.runs.follow(run, 0) == report


async def test_a_model_that_gives_no_structured_answer_fails_the_run(worker: Worker) -> None:
    report = await worker.run(text("I would rather talk."), output_schema=SCHEMA)
    assert report.status == "failed"
    assert report.error


async def test_a_session_with_a_structured_answer_goes_on(worker: Worker) -> None:
    first = await worker.run(structured({"answer": 1}), output_schema=SCHEMA)
    second = await worker.run(text("Plain again."), session=session_of(first))
    third = await worker.run(structured({"answer": 2}), output_schema=SCHEMA, session=session_of(first))
    assert [report.status for report in (first, second, third)] == ["completed"] * 3
    assert (second.text, third.output) == ("Plain again.", {"answer": 2})


async def test_a_run_that_goes_on_in_a_deleted_session_is_reported_as_that(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    run = await worker.start(step(hold("unstopped"), text("Said to nobody.")))
    await scripted_model.reached("unstopped")
    await http.delete(f"/session/{run.session_id}")
    looked = await worker.runs.follow(run, WAIT)
    assert (looked.status, looked.shortfall) == ("aborted", f"{reporter.SESSION_DELETED} {reporter.GOES_ON}")
    await scripted_model.release("unstopped")

    async def over() -> bool:
        return run.session_id not in (await http.get("/session/status")).json()

    await eventually(over)
    assert (await worker.runs.follow(run, WAIT)).shortfall == reporter.SESSION_DELETED


async def test_a_run_whose_session_was_deleted_is_aborted_with_that_reason(
    worker: Worker, scripted_model: ScriptedModel, http: httpx.AsyncClient
) -> None:
    run = await worker.start(step(hold("deleted"), text("Never said.")))
    await scripted_model.reached("deleted")
    seen = await worker.runs.observe(run, Deadline.after(0))
    await worker.runs.stop(run)
    await http.delete(f"/session/{run.session_id}")
    followed, reported = await worker.runs.follow(run, WAIT), await worker.runs.report(run, seen)
    assert (followed.status, followed.shortfall) == ("aborted", reporter.SESSION_DELETED)
    assert reported == followed

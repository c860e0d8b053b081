"""A record that was read before the end of a run is used only if the stream then shows a complete, successful end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import anyio
import pytest
from anyio.lowlevel import checkpoint

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure, Span
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following import read_ahead
from opencode_mcp.runs.following.read_ahead import ReadAhead, Record, folded
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run, SessionRecord, all_answers, last_answers, read_session
from tests.harness.servers.model import ScriptedModel
from tests.runs.worker import WAIT, Worker
from tests.scripted_model.script import bash, hold, step, text

pytestmark = pytest.mark.anyio
MINE, CHILD = "ses_mine", "ses_child"
EMPTY = SessionRecord("", [], [])


@pytest.fixture
async def client(hub: Hub) -> OpenCodeClient:
    return OpenCodeClient(await hub.ensure())


@pytest.fixture
async def run(worker: Worker) -> Run:
    """A run that has ended."""
    run = await worker.start(bash("true"), text("Done."))
    await worker.runs.follow(run, WAIT)
    return run


@pytest.fixture
async def last(client: OpenCodeClient, run: Run) -> Message:
    return (await all_answers(client, run))[-1]


def without_end(message: MessageInfo) -> MessageInfo:
    """A message as events show it between its last step and its end."""
    return message.model_copy(update={"time": message.time.model_copy(update={"completed": None})})


def change_of(message: MessageInfo, **changed: object) -> backend_events.MessageChanged:
    return backend_events.MessageChanged(message.session_id, message.model_copy(update=changed))


async def receive_events(ahead: ReadAhead, events: Sequence[backend_events.Event]) -> None:
    for event in events:
        ahead.notice(event)
        await ahead.read_if_due()


@pytest.mark.integration
async def test_a_good_end_that_the_stream_delivers_in_full_needs_no_further_read(
    client: OpenCodeClient, run: Run, last: Message
) -> None:
    ahead = ReadAhead(client, run)
    await ahead.begin()
    await receive_events(
        ahead,
        [change_of(without_end(last.info)), change_of(last.info), backend_events.Idle(run.session_id)],
    )
    assert ahead.record
    assert ahead.record.answers == await all_answers(client, run)
    assert ahead.record.session == await read_session(client, run.session_id)
    assert ahead.record.is_whole


@pytest.mark.integration
async def test_until_the_session_is_idle_nothing_is_believed(client: OpenCodeClient, run: Run, last: Message) -> None:
    ahead = ReadAhead(client, run)
    await ahead.begin()
    await receive_events(
        ahead,
        [backend_events.Idle(run.session_id), change_of(without_end(last.info)), change_of(last.info)],
    )
    assert ahead.record is None


@pytest.mark.integration
@pytest.mark.parametrize(
    "between",
    [
        backend_events.Gap(""),
        backend_events.Lost("", "gone"),
        backend_events.PartChanged("{session}", {"type": "patch"}),
        backend_events.PartGrew("{session}", "msg", "prt", "text", "more"),
        backend_events.SessionDeleted("{session}"),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_any_other_event_makes_it_void(
    client: OpenCodeClient, run: Run, last: Message, between: backend_events.Event
) -> None:
    event = replace(between, session_id=run.session_id if between.session_id else "")
    ahead = ReadAhead(client, run)
    await ahead.begin()
    await receive_events(
        ahead,
        [
            change_of(without_end(last.info)),
            event,
            change_of(last.info),
            backend_events.Idle(run.session_id),
        ],
    )
    assert ahead.record is None


@pytest.mark.integration
@pytest.mark.parametrize(
    "changed",
    [{"id": "msg_another"}, {"parent_id": "msg_another"}, {"finish": "tool-calls"}, {"finish": ""}],
    ids="-".join,
)
async def test_the_end_of_another_message_or_of_a_middle_step_is_none(
    client: OpenCodeClient, run: Run, last: Message, changed: dict[str, object]
) -> None:
    ahead = ReadAhead(client, run)
    await ahead.begin()
    begun = change_of(without_end(last.info), **changed)
    await receive_events(ahead, [begun, change_of(last.info, **changed), backend_events.Idle(run.session_id)])
    assert ahead.record is None


class LateReads:
    """Reads of the messages of a run that has ended: they give what is set here, and are counted."""

    def __init__(self, answers: list[Message]) -> None:
        self.answers = answers
        self.number = 0

    async def read(self, _client: OpenCodeClient, _run: Run) -> tuple[list[Message], bool]:
        """Take the place of ``last_answers``."""
        await checkpoint()
        self.number += 1
        return self.answers, True


PROMPTED = Run("/project", MINE, "msg_prompt")
ANSWER = MessageInfo(
    id="msg_2",
    session_id=MINE,
    role="assistant",
    parent_id="msg_prompt",
    finish="stop",
    time=Span(created=1, completed=2),
)
IDLE = backend_events.Idle(MINE)


async def ahead_of(reads: LateReads, events: Sequence[backend_events.Event], patch: pytest.MonkeyPatch) -> ReadAhead:
    """Pass events that arrive all at once."""
    patch.setattr(read_ahead, "last_answers", reads.read)
    ahead = ReadAhead(cast("OpenCodeClient", None), PROMPTED)
    await ahead.begin(SessionRecord("Title", [], []))
    for event in events:
        ahead.notice(event)
    await ahead.read_if_due()
    return ahead


async def test_an_end_that_arrives_all_at_once_takes_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = LateReads([Message(info=ANSWER)])
    ahead = await ahead_of(reads, [change_of(without_end(ANSWER)), change_of(ANSWER), IDLE], monkeypatch)
    assert ahead.record == Record([Message(info=ANSWER)], is_whole=True, session=SessionRecord("Title", [], []))
    await ahead.read_if_due()
    assert reads.number == 1


async def test_an_end_that_is_read_before_the_session_is_idle_waits_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = LateReads([Message(info=ANSWER)])
    ahead = await ahead_of(reads, [IDLE, change_of(without_end(ANSWER)), change_of(ANSWER)], monkeypatch)
    assert ahead.record is None
    ahead.notice(IDLE)
    assert ahead.record


@pytest.mark.parametrize(
    "answers",
    [[], [Message(info=ANSWER.model_copy(update={"id": "msg_3"}))]],
    ids=["none", "another"],
)
async def test_an_end_that_the_read_does_not_show_is_not_believed(
    answers: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = await ahead_of(LateReads(answers), [change_of(without_end(ANSWER)), change_of(ANSWER), IDLE], monkeypatch)
    assert ahead.record is None


async def test_a_failure_among_events_that_arrive_all_at_once_prevents_the_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = LateReads([Message(info=ANSWER)])
    failed = backend_events.Failed(MINE, Failure())
    ahead = await ahead_of(reads, [change_of(without_end(ANSWER)), change_of(ANSWER), failed, IDLE], monkeypatch)
    assert (ahead.record, reads.number) == (None, 0)


@pytest.mark.integration
async def test_the_work_of_a_subagent_does_not_change_the_end(client: OpenCodeClient, run: Run, last: Message) -> None:
    ahead = ReadAhead(client, run)
    await ahead.begin()
    subagent = [backend_events.PartChanged(CHILD, {"type": "text"}), backend_events.Idle(CHILD)]
    await receive_events(ahead, [change_of(without_end(last.info)), *subagent, change_of(last.info)])
    assert ahead.record is None
    await receive_events(ahead, [*subagent, backend_events.Idle(run.session_id)])
    assert ahead.record


@pytest.mark.integration
async def test_a_run_whose_end_is_received_is_not_read_again(
    tracker: Worker, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    after: list[str] = []
    end_received = False
    call, notice, read_if_due = OpenCodeClient.call, ReadAhead.notice, ReadAhead.read_if_due

    async def note(self: OpenCodeClient, operation_id: str, **arguments: Any) -> object:  # noqa: ANN401 - passed on
        if end_received:
            after.append(operation_id)
        return await call(self, operation_id, **arguments)

    def listen(self: ReadAhead, event: backend_events.Event) -> None:
        nonlocal end_received
        notice(self, event)
        end_received = end_received or self.record is not None

    async def read(self: ReadAhead) -> None:
        nonlocal end_received
        await read_if_due(self)
        end_received = end_received or self.record is not None

    monkeypatch.setattr(OpenCodeClient, "call", note)
    monkeypatch.setattr(ReadAhead, "notice", listen)
    monkeypatch.setattr(ReadAhead, "read_if_due", read)
    report = await runs.follow(await tracker.start(bash("sleep 0.2"), text("Done.")), WAIT)
    assert (report.status, report.text) == ("completed", "Done.")
    assert end_received
    assert after == []


GREW = backend_events.PartGrew(MINE, ANSWER.id, "prt_1", "text", "The ")
WHOLE = backend_events.PartChanged(
    MINE, {"id": "prt_1", "messageID": ANSWER.id, "sessionID": MINE, "type": "text", "text": "The end."}
)
BEGUN = Message(info=without_end(ANSWER).model_copy(update={"finish": ""}))


async def ahead_while_written(
    reads: LateReads, events: Sequence[backend_events.Event], patch: pytest.MonkeyPatch
) -> ReadAhead:
    """Pass events one by one, as while a model writes."""
    ahead = await ahead_of(reads, [], patch)
    await receive_events(ahead, events)
    return ahead


async def test_a_first_answer_that_was_read_in_writing_is_not_read_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = LateReads([BEGUN])
    ahead = await ahead_while_written(
        reads, [GREW, GREW, WHOLE, change_of(without_end(ANSWER)), change_of(ANSWER)], monkeypatch
    )
    assert (ahead.record, reads.number) == (None, 1)
    ahead.notice(IDLE)
    assert ahead.record
    assert ahead.record.answers == [Message.read({"info": ANSWER, "parts": [WHOLE.part]})]
    assert (ahead.record.is_whole, reads.number) == (True, 1)


@pytest.mark.parametrize(
    "between",
    [
        [],
        [WHOLE, GREW],
        [WHOLE, replace(WHOLE, part={**WHOLE.part, "id": "prt_2", "type": "tool", "tool": "bash"})],
        [WHOLE, replace(WHOLE, part={**WHOLE.part, "messageID": "msg_3"})],
        [WHOLE, replace(GREW, message_id="msg_3")],
        [WHOLE, backend_events.StatusChanged(MINE, SessionStatus(type="retry"))],
        [WHOLE, backend_events.Failed(MINE, Failure())],
    ],
    ids=["no end of the text", "growth", "tool", "part of another", "growth of another", "retry", "failure"],
)
async def test_an_answer_that_the_stream_does_not_show_in_full_is_read_at_its_end(
    between: list[backend_events.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = LateReads([BEGUN])
    ahead = await ahead_while_written(reads, [GREW, *between], monkeypatch)
    reads.answers = [Message(info=ANSWER)]
    await receive_events(ahead, [change_of(without_end(ANSWER)), change_of(ANSWER), IDLE])
    assert ahead.record
    assert (ahead.record.answers, reads.number) == (reads.answers, 2)


@pytest.mark.parametrize("first", [[], [Message(info=ANSWER.model_copy(update={"id": "msg_1"})), BEGUN]])
async def test_later_answers_are_read_at_their_end(first: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    reads = LateReads(first)
    ahead = await ahead_while_written(reads, [GREW, GREW, WHOLE], monkeypatch)
    assert reads.number == 1
    reads.answers = [Message(info=ANSWER)]
    await receive_events(ahead, [change_of(without_end(ANSWER)), change_of(ANSWER), IDLE])
    assert ahead.record
    assert (ahead.record.answers, reads.number) == (reads.answers, 2)


async def test_a_slow_read_in_writing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = await ahead_while_written(LateReads([]), [], monkeypatch)
    monkeypatch.setattr(read_ahead, "IN_WRITING_SECONDS", 0.01)
    monkeypatch.setattr(read_ahead, "last_answers", never)
    await receive_events(ahead, [GREW])
    reads = LateReads([Message(info=ANSWER)])
    monkeypatch.setattr(read_ahead, "last_answers", reads.read)
    await receive_events(ahead, [WHOLE, change_of(without_end(ANSWER)), change_of(ANSWER), IDLE])
    assert ahead.record
    assert (ahead.record.answers, reads.number) == (reads.answers, 1)


async def never(_client: OpenCodeClient, _run: Run) -> tuple[list[Message], bool]:
    await anyio.sleep_forever()
    return [], False


async def test_an_answer_that_arrives_all_at_once_with_its_end_takes_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = LateReads([Message(info=ANSWER)])
    events = [GREW, WHOLE, change_of(without_end(ANSWER)), change_of(ANSWER), IDLE]
    ahead = await ahead_of(reads, events, monkeypatch)
    assert ahead.record
    assert reads.number == 1


@pytest.mark.integration
@pytest.mark.both_generations
async def test_a_first_answer_on_the_stream_is_that_on_record(
    worker: Worker, client: OpenCodeClient, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_followed, is_read = anyio.Event(), anyio.Event()
    reads: list[Run] = []
    begin = ReadAhead.begin

    async def note_begin(self: ReadAhead, known: SessionRecord | None = None) -> None:
        await begin(self, known)
        is_followed.set()

    async def note_read(client: OpenCodeClient, run: Run) -> tuple[list[Message], bool]:
        found = await last_answers(client, run)
        reads.append(run)
        is_read.set()
        return found

    async def let_write() -> None:
        await is_followed.wait()
        await scripted_model.release("begin")
        await is_read.wait()
        await scripted_model.release("end")

    monkeypatch.setattr(ReadAhead, "begin", note_begin)
    monkeypatch.setattr(read_ahead, "last_answers", note_read)
    run = await worker.start(step(hold("begin"), text("Before. "), hold("end"), text("After.")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(let_write)
        seen = await worker.runs.observe(run, Deadline.after(WAIT))
        assert reads == [run]
        assert seen.session
        assert (seen.answers, seen.is_whole) == (await all_answers(client, run), True)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (backend_events.TodosChanged(MINE, [Todo(content="Plan")]), SessionRecord("", [Todo(content="Plan")], [])),
        (backend_events.TodosChanged(CHILD, [Todo(content="Plan")]), EMPTY),
        (
            backend_events.SessionChanged(MINE, Session(id=MINE, title="Named"), created=False),
            SessionRecord("Named", [], []),
        ),
        (
            backend_events.SessionChanged(CHILD, Session(id=CHILD, parent_id=MINE), created=True),
            SessionRecord("", [], [CHILD]),
        ),
        (
            backend_events.PartChanged(MINE, {"tool": "task", "state": {"metadata": {"sessionId": CHILD}}}),
            SessionRecord("", [], [CHILD]),
        ),
        (backend_events.PartChanged(MINE, {"type": "text"}), EMPTY),
        (backend_events.Idle(MINE), EMPTY),
    ],
)
async def test_what_a_report_says_of_its_session_is_kept_up_to_date(
    event: backend_events.Event, expected: SessionRecord
) -> None:
    once = folded(EMPTY, event, MINE)
    assert once == expected
    assert folded(once, event, MINE) == expected


async def test_a_change_without_a_title_keeps_the_title_of_a_report() -> None:
    named = SessionRecord("Named", [], [])
    assert folded(named, backend_events.SessionChanged(MINE, Session(id=MINE), created=False), MINE) == named

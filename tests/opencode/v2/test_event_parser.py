"""Lines of OpenCode 2's stream become events; what nobody knows, and what is malformed, becomes nothing."""

import json
from typing import Any, cast

import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.events.session_state import SessionState, fold
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.v2.event_parsing import event_memory, event_parser
from opencode_mcp.opencode.v2.event_parsing.event_parser import PARSERS, PROJECT, EventParser2
from opencode_mcp.opencode.v2.request_conversions import permission_of, question_of
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Failed,
    Idle,
    InstanceDisposed,
    MessageChanged,
    PartChanged,
    PartGrew,
    PermissionAsked,
    ProjectChanged,
    QuestionAsked,
    RequestClosed,
    SessionChanged,
    SessionDeleted,
    StatusChanged,
)
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.opencode.vocabulary.wire.shared_values import ABORTED_ERROR, Failure, Tokens
from opencode_mcp.runs.following import read_ahead
from opencode_mcp.runs.following.read_ahead import ReadAhead
from opencode_mcp.runs.run_record import Run, SessionRecord
from opencode_mcp.server.notifications.affected_uris import changed_by
from tests.harness.each import for_each
from tests.opencode.v2.events import PLACE, SES, Json, Stream, line

MSG, PROMPT, CALL = "msg_2", "msg_1", "call_1"
STEP = {"assistantMessageID": MSG}
ASKED = {"id": "per_1", "sessionID": SES, "action": "shell", "resources": ["ls"], "save": ["ls"]}
FORM = {"id": "frm_1", "sessionID": SES, "title": "Questions", "fields": [{"key": "q0", "type": "string"}]}
NO_TOKENS = {"input": 0, "output": 0, "reasoning": 0}
IDLE: list[Event] = [StatusChanged(SES, SessionStatus(type="idle")), Idle(SES)]


def user(message_id: str, created: float = 1001) -> Event:
    time = {"created": created}
    return MessageChanged(SES, MessageInfo.read({"id": message_id, "sessionID": SES, "role": "user", "time": time}))


def part(kind: str, **fields: object) -> Event:
    return PartChanged(SES, {"sessionID": SES, "messageID": MSG, "type": kind, **fields})


def changed(created: bool = False, **fields: Any) -> Event:  # noqa: ANN401, FBT001, FBT002 - fields of a session
    return SessionChanged(SES, Session(id=SES, directory=PLACE, **fields), created=created)


def call(status: str, tool: str = "tool", **state: object) -> Event:
    empty: Json = {"input": {}, "output": "", "error": "", "metadata": {}, "attachments": []}
    full = {**empty, "status": status, **state}
    return part("tool", id=CALL, callID=CALL, tool=tool, state=full)


EVENTS: list[tuple[str, Json, list[Event]]] = [
    ("session.execution.started", {}, [StatusChanged(SES, SessionStatus(type="busy"))]),
    ("session.execution.succeeded", {}, IDLE),
    (
        "session.execution.failed",
        {"error": {"type": "provider.auth", "message": "No key", "status": 401}},
        [Failed(SES, Failure(name="provider.auth", data={"message": "No key", "statusCode": 401})), *IDLE],
    ),
    ("session.execution.failed", {}, [Failed(SES, Failure()), *IDLE]),
    ("session.execution.interrupted", {"reason": "shutdown"}, IDLE),
    ("session.execution.interrupted", {"reason": "a later one"}, IDLE),
    (
        "session.retry.scheduled",
        {**STEP, "attempt": 3, "at": 5000, "error": {"type": "provider.internal", "message": "Slow down"}},
        [StatusChanged(SES, SessionStatus(type="retry", attempt=2, message="Slow down", next=5000))],
    ),
    ("session.inbox.enqueued", {"inboxID": PROMPT, "item": {"type": "user"}}, []),
    ("session.inbox.delivered", {"inboxID": PROMPT}, [user(PROMPT)]),
    ("session.synthetic", {"text": "A subagent has ended."}, [user("msg_1")]),
    ("session.skill.activated", {"id": "review"}, [user("msg_1")]),
    (
        "session.step.ended",
        {**STEP, "finish": "stop", "cost": 0.5, "files": ["a"]},
        [
            part("step-finish", id="msg_2:step-finish:0", reason="stop", cost=0.5, tokens=NO_TOKENS),
            part("patch", id="msg_2:patch:0", files=["a"]),
        ],
    ),
    ("session.step.failed", {**STEP, "error": {"type": "aborted", "message": "Stopped"}}, []),
    ("session.text.started", {**STEP, "ordinal": 1}, [part("text", id="msg_2:text:1", text="")]),
    ("session.text.delta", {**STEP, "ordinal": 1, "delta": "Hi"}, [PartGrew(SES, MSG, "msg_2:text:1", "text", "Hi")]),
    ("session.text.ended", {**STEP, "ordinal": 1, "text": "Hi"}, [part("text", id="msg_2:text:1", text="Hi")]),
    ("session.reasoning.started", {**STEP, "ordinal": 0}, [part("reasoning", id="msg_2:reasoning:0", text="")]),
    (
        "session.reasoning.delta",
        {**STEP, "ordinal": 0, "delta": "Hm"},
        [PartGrew(SES, MSG, "msg_2:reasoning:0", "text", "Hm")],
    ),
    (
        "session.reasoning.ended",
        {**STEP, "ordinal": 0, "text": "Hm"},
        [part("reasoning", id="msg_2:reasoning:0", text="Hm")],
    ),
    ("session.tool.input.started", {**STEP, "id": CALL, "name": "shell"}, [call("pending", "shell")]),
    ("session.tool.called", {**STEP, "id": CALL, "input": {"path": "a"}}, [call("running", input={"path": "a"})]),
    (
        "session.tool.progress",
        {**STEP, "id": CALL, "metadata": {"shellID": "sh_1"}},
        [call("running", metadata={"shellID": "sh_1"})],
    ),
    (
        "session.tool.success",
        {**STEP, "id": CALL, "content": [{"type": "text", "text": "ok"}], "metadata": {"exit": 0}},
        [call("completed", output="ok", metadata={"exit": 0})],
    ),
    (
        "session.tool.failed",
        {**STEP, "id": CALL, "error": {"type": "aborted", "message": "Declined"}},
        [call("error", error="Declined")],
    ),
    ("session.created", {"title": "New", "location": {"directory": PLACE}}, [changed(created=True, title="New")]),
    ("session.forked", {"parentID": "ses_0"}, [changed(created=True)]),
    ("session.renamed", {"title": "Other"}, [changed(title="Other")]),
    ("session.moved", {"location": {"directory": PLACE}}, [changed()]),
    (
        "session.usage.updated",
        {"cost": 0.5, "tokens": {"input": 3, "output": 2, "reasoning": 1}},
        [changed(cost=0.5, tokens=Tokens(input=3, output=2, reasoning=1))],
    ),
    *[
        (f"session.{name}", {}, [changed()])
        for name in ("metadata.updated", "archived", "unarchived", "revert.staged", "revert.cleared")
    ],
    *[
        (f"session.{name}", {}, [changed(), PartChanged(SES, {"sessionID": SES, "messageID": "", "type": "unknown"})])
        for name in ("agent.selected", "model.selected", "revert.committed")
    ],
    *[
        (f"session.compaction.{name}", {}, [PartChanged(SES, {"sessionID": SES, "messageID": "", "type": "unknown"})])
        for name in ("started", "ended", "failed")
    ],
    ("session.message.content.updated", {"messageID": MSG}, [part("unknown")]),
    ("session.deleted", {}, [SessionDeleted(SES)]),
    ("session.idle", {}, [Idle(SES)]),
    ("permission.asked", ASKED, [PermissionAsked(SES, permission_of(ASKED))]),
    ("permission.replied", {"requestID": "per_1", "reply": "once"}, [RequestClosed(SES, "per_1")]),
    ("form.created", {"form": FORM}, [QuestionAsked(SES, question_of(FORM))]),
    ("form.replied", {"id": "frm_1", "answer": {}}, [RequestClosed(SES, "frm_1")]),
    ("form.cancelled", {"id": "frm_1"}, [RequestClosed(SES, "frm_1")]),
]
SEQUENCES = frozenset({"session.step.started", "session.shell.started", "session.shell.ended"})
"""Events that have tests of their own below."""


@for_each(("kind", "data", "events"), EVENTS)
def test_each_known_event_is_parsed(kind: str, data: Json, events: list[Event]) -> None:
    parsed = Stream().send(kind, **{**data, "sessionID": SES})
    assert parsed == events
    assert {event.reported_directory for event in parsed} <= {PLACE}


def test_the_table_has_an_example_of_every_event_that_is_parsed() -> None:
    assert {kind for kind, _, _ in EVENTS} | SEQUENCES == set(PARSERS)


@pytest.mark.parametrize("reason", ["user", "superseded", "inactivity"])
def test_an_interrupted_execution_is_an_abort_unless_the_reason_may_be_a_rejection(reason: str) -> None:
    [failed, *rest] = Stream().send("session.execution.interrupted", reason=reason)
    assert isinstance(failed, Failed)
    assert failed.error.name == ABORTED_ERROR
    assert rest == IDLE


def test_a_step_is_a_message_with_the_prompt_that_was_delivered_last() -> None:
    stream = Stream()
    stream.prompt("msg_0", "msg_a")
    stream.send("session.inbox.delivered", inboxID=PROMPT)
    [event] = stream.step(MSG)
    assert isinstance(event, MessageChanged)
    assert (event.message.id, event.message.parent_id, event.message.role) == (MSG, PROMPT, "assistant")
    assert (event.message.agent, event.message.model, event.message.time.created) == ("build", "scripted/m1", 900)
    assert event.message.time.completed is None


def test_the_end_of_a_step_has_its_cost_and_the_end_of_the_execution_completes_the_message() -> None:
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    [finished, patch, ended] = stream.step_end(MSG, "stop", files=["a.txt"])
    assert isinstance(finished, PartChanged)
    assert (finished.part["type"], finished.part["reason"], finished.part["cost"]) == ("step-finish", "stop", 0.5)
    assert isinstance(patch, PartChanged)
    assert (patch.part["type"], patch.part["files"], patch.part["messageID"]) == ("patch", ["a.txt"], MSG)
    assert isinstance(ended, MessageChanged)
    assert (ended.message.finish, ended.message.cost, ended.message.tokens.input) == ("stop", 0.5, 100)
    assert ended.message.time.completed is None
    [complete, *idle] = stream.send("session.execution.succeeded", directory="")
    assert isinstance(complete, MessageChanged)
    assert (complete.message.id, complete.message.parent_id) == (MSG, PROMPT)
    # The fourth event is the end of the step.
    assert (complete.message.time.completed, complete.message.ended) == (1004, True)
    assert idle == IDLE


def test_after_an_execution_its_prompt_has_no_further_answer() -> None:
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    stream.step_end(MSG, "stop")
    stream.send("session.execution.succeeded", directory="")
    stream.send("session.execution.started", directory="")
    [event] = stream.step("msg_3")
    assert isinstance(event, MessageChanged)
    assert event.message.parent_id == ""
    assert stream.send("session.execution.succeeded", directory="") == IDLE


@pytest.mark.parametrize("kind", ["synthetic", "compaction", "move"])
def test_an_entry_of_the_inbox_that_is_no_prompt_starts_work_only_where_there_is_none(kind: str) -> None:
    def parent_after(stream: Stream) -> str:
        stream.send("session.inbox.enqueued", inboxID="msg_8", item={"type": kind, "payload": {}})
        stream.send("session.inbox.delivered", inboxID="msg_8")
        [event] = stream.step("msg_9")
        assert isinstance(event, MessageChanged)
        return event.message.parent_id

    working = Stream()
    working.prompt(PROMPT, MSG)
    assert parent_after(working) == PROMPT
    assert parent_after(Stream()) == "msg_8"


def test_a_failed_step_is_a_message_with_its_error() -> None:
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    error = {"type": "aborted", "message": "Step interrupted"}
    [event] = stream.send("session.step.failed", assistantMessageID=MSG, error=error)
    assert isinstance(event, MessageChanged)
    assert event.message.error
    assert event.message.error.name == ABORTED_ERROR
    assert event.message.time.completed == 1004
    [failed, *_] = stream.send("session.execution.interrupted", directory="", reason="user")
    assert isinstance(failed, Failed)


def test_the_step_after_a_pause_says_that_the_pause_is_over() -> None:
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    stream.send("session.retry.scheduled", assistantMessageID=MSG, attempt=2, at=5000)
    busy, message = stream.step(MSG)
    assert busy == StatusChanged(SES, SessionStatus(type="busy"))
    assert isinstance(message, MessageChanged)
    assert len(stream.step(MSG)) == 1


def test_a_tool_call_keeps_its_name_and_input_until_it_ends() -> None:
    stream = Stream()
    fields = {"assistantMessageID": MSG, "id": CALL}
    stream.send("session.tool.input.started", **fields, name="shell")
    stream.send("session.tool.input.started", **{**fields, "id": "call_2"}, name="read")
    stream.send("session.tool.called", **fields, input={"command": "ls"})
    assert stream.send("session.tool.progress", **fields) == [call("running", "shell", input={"command": "ls"})]
    assert stream.send("session.tool.success", **fields) == [call("completed", "shell", input={"command": "ls"})]
    assert stream.send("session.tool.progress", **fields) == [call("running")]


@pytest.mark.parametrize(
    "metadata",
    [{"sessionID": "ses_2", "status": "running"}, {"metadata": {"sessionID": "ses_2"}}],
    ids=["released", "preview"],
)
@pytest.mark.parametrize("started", [True, False])
def test_a_subagents_session_is_known_from_its_call(metadata: dict[str, object], *, started: bool) -> None:
    stream = Stream()
    if started:
        stream.send("session.tool.input.started", assistantMessageID=MSG, id=CALL, name="subagent")
    [event] = stream.send("session.tool.progress", assistantMessageID=MSG, id=CALL, metadata=metadata)
    assert isinstance(event, PartChanged)
    assert event.child_session == "ses_2"


def test_a_persons_shell_line_is_a_message_and_a_call() -> None:
    stream = Stream()
    shell = {"id": "sh_1", "status": "running", "command": "echo hi"}
    busy, message, running = stream.send("session.shell.started", shell=shell)
    assert busy == StatusChanged(SES, SessionStatus(type="busy"))
    assert message == user("msg_1")
    assert isinstance(running, PartChanged)
    assert (running.part["tool"], running.part["state"]["input"]) == ("shell", {"command": "echo hi"})
    fields: Json = {"shell": {**shell, "status": "exited"}, "output": {"output": "hi\n"}}
    ended, idle = stream.send("session.shell.ended", **fields)
    assert isinstance(ended, PartChanged)
    assert (ended.part["id"], ended.part["state"]["output"]) == ("sh_1", "hi")
    assert idle == Idle(SES)
    assert stream.send("session.shell.ended", shell=shell) == [Idle(SES)]


def test_an_event_without_a_place_belongs_to_the_sessions_directory() -> None:
    stream = Stream()
    assert [event.place for event in stream.send("session.execution.started", directory="")] == [""]
    stream.send("session.created", location={"directory": "/own"}, directory="")
    assert [event.place for event in stream.send("session.execution.started", directory="")] == ["/own"]
    stream.send("session.moved", location={"directory": "/new"}, directory="/own")
    assert [event.place for event in stream.send("session.usage.updated", directory="")] == ["/new"]


def test_a_subagents_session_keeps_its_parent_in_every_change() -> None:
    stream = Stream()
    stream.send("session.created", parentID="ses_0")
    [event] = stream.send("session.renamed", title="Part")
    assert isinstance(event, SessionChanged)
    assert (event.session.parent_id, event.session.title) == ("ses_0", "Part")


def test_a_new_stream_keeps_the_tools_and_no_prompt_of_the_old_one() -> None:
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    stream.send("session.tool.input.started", assistantMessageID=MSG, id=CALL, name="read")
    assert stream.send("server.connected") == []
    assert stream.send("session.tool.called", assistantMessageID=MSG, id=CALL) == [call("running", "read")]
    assert [type(event) for event in stream.step_end(MSG, "stop")] == [PartChanged]
    [event] = stream.step("msg_3")
    assert isinstance(event, MessageChanged)
    assert event.message.parent_id == ""
    assert event.place == PLACE


def test_a_directory_that_is_shut_down_is_named() -> None:
    assert EventParser2().parse(line("location.shutdown", {})) == [InstanceDisposed("", PLACE)]
    assert EventParser2().parse(line("location.shutdown", None)) == [InstanceDisposed("", PLACE)]


@for_each(("kind", "commands"), list(PROJECT.items()))
def test_a_change_of_what_a_project_offers_names_its_directory(kind: str, commands: bool) -> None:  # noqa: FBT001
    [event] = EventParser2().parse(line(kind, {}))
    assert event == ProjectChanged("", commands=commands, reopened=kind == "agent.updated")
    assert event.place == PLACE


def test_old_sessions_and_calls_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_parser, "REMEMBERED_SESSIONS", 2)
    monkeypatch.setattr(event_memory, "CALLS_KEPT", 2)
    stream = Stream()
    for number in range(3):
        stream.send("session.created", session=f"ses_{number}")
    places = [stream.send("session.idle", session=f"ses_{number}", directory="")[0].place for number in (2, 0)]
    assert places == [PLACE, ""]
    for number in range(3):
        fields = {"assistantMessageID": MSG, "id": f"call_{number}"}
        stream.send("session.tool.input.started", **fields, name="read")
    [first] = stream.send("session.tool.called", assistantMessageID=MSG, id="call_0")
    assert isinstance(first, PartChanged)
    assert first.part["tool"] == "tool"


@pytest.mark.anyio
async def test_at_a_good_end_the_messages_are_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The execution ends some milliseconds after its last step; the messages are read in between."""
    stream = Stream()
    stream.prompt(PROMPT, MSG)
    ended = stream.step_end(MSG, "stop")
    assert isinstance(ended[-1], MessageChanged)
    answer = Message(info=ended[-1].message)

    async def read(_client: OpenCodeClient, _run: Run) -> tuple[list[Message], bool]:
        await checkpoint()
        return [answer], True

    monkeypatch.setattr(read_ahead, "last_answers", read)
    ahead = ReadAhead(cast("OpenCodeClient", None), Run(PLACE, SES, PROMPT))
    await ahead.begin(SessionRecord("Title", [], []))
    end = stream.send("session.execution.succeeded", directory="")
    for event in [*ended, *stream.send("session.usage.updated", cost=0.5), *end]:
        ahead.notice(event)
        await ahead.read_if_due()
    assert ahead.record
    assert ahead.record.session.title == "Title"
    assert [message.info.time.completed for message in ahead.record.answers] == [1004]


@pytest.mark.parametrize("kind", ["server.connected", "plugin.added", "session.tool.input.delta", "", "session"])
def test_an_event_that_the_bridge_does_not_use_is_nothing(kind: str) -> None:
    assert Stream().send(kind) == []


@for_each(
    "data",
    [
        "",
        "null",
        "[]",
        "3",
        '"text"',
        "{",
        '{"type":["session.idle"]}',
        '{"type":"session.idle","data":[1]}',
        '{"type":"session.idle","data":{"sessionID":5}}',
        line("session.idle", {}),
        line("permission.asked", {"sessionID": SES}),
        line("form.created", {"form": {"sessionID": SES}}),
        line("session.inbox.delivered", {"sessionID": SES}),
        line("session.step.started", {"sessionID": SES}),
        line("session.step.ended", {"sessionID": SES}),
        line("session.step.failed", {"sessionID": SES}),
        line("session.text.started", {"sessionID": SES}),
        line("session.text.delta", {"sessionID": SES, "delta": "x"}),
        line("session.tool.called", {"sessionID": SES, "id": CALL}),
        line("session.tool.success", {"sessionID": SES, "assistantMessageID": MSG}),
    ],
)
def test_a_line_that_is_malformed_is_nothing(data: str) -> None:
    assert EventParser2().parse(data) == []


NAMES = sorted(
    {"sessionID", "form", "location", "directory", "id", "type", "error", "shell", "output", "metadata", "item"}
    | {name for _, data, _ in EVENTS for name in data}
)
SCALARS: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**400, "", SES, MSG, CALL, "user", "stop", "\ud800"]
)
VALUES: st.SearchStrategy[object] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=8
)
KINDS = st.sampled_from([*sorted(PARSERS), "server.connected", "location.shutdown", "later.event"])


@given(st.lists(st.tuples(KINDS, st.dictionaries(st.sampled_from(NAMES), VALUES)), max_size=8))
def test_whatever_the_events_contain_no_line_stops_the_stream(events: list[tuple[str, dict[str, object]]]) -> None:
    parser, state = EventParser2(), SessionState()
    for kind, data in events:
        for event in parser.parse(line(kind, {"sessionID": SES, **data})):
            assert isinstance(event, Event)
            fold(state, event)
            for address in changed_by(event, [event.session_id]):
                address.encode()
            if isinstance(event, PartChanged):
                event.child_session.encode()


@given(st.dictionaries(st.sampled_from(["type", "data", "location", "id", "created"]), VALUES))
def test_whatever_an_envelope_contains_no_line_stops_the_stream(envelope: dict[str, object]) -> None:
    assert isinstance(EventParser2().parse(json.dumps({"type": "session.idle", **envelope})), list)

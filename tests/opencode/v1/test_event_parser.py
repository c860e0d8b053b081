"""Lines of the stream become events; what nobody knows, and what is broken, becomes nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.v1 import event_parser
from opencode_mcp.opencode.v1.event_parser import EventParser1, is_noise
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.backend_events import Event
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from tests.harness.each import for_each

SES = "ses_1"
INFO = {"id": "msg_1", "sessionID": SES, "role": "assistant"}
ASKED = {"id": "per_1", "sessionID": SES, "permission": "bash", "patterns": ["ls"]}
QUESTION = {"id": "que_1", "sessionID": SES, "questions": [{"question": "Which?"}]}


def line(kind: str, properties: object) -> str:
    """An event as ``/global/event`` sends it."""
    payload = {"id": "evt_1", "type": kind, "properties": properties}
    return json.dumps({"directory": "/p", "project": "global", "payload": payload}, separators=(",", ":"))


def parse(data: str) -> Event | None:
    """Return the event of a line, which has one at most."""
    events = EventParser1().parse(data)
    assert len(events) <= 1
    return events[0] if events else None


EVENTS: list[tuple[str, object, Event]] = [
    (
        "session.status",
        {"sessionID": SES, "status": {"type": "retry", "attempt": 2, "message": "Slow down", "next": 5}},
        backend_events.StatusChanged(SES, SessionStatus(type="retry", attempt=2, message="Slow down", next=5)),
    ),
    ("session.idle", {"sessionID": SES}, backend_events.Idle(SES)),
    (
        "session.error",
        {"sessionID": SES, "error": {"name": "UnknownError", "data": {"message": "Agent not found"}}},
        backend_events.Failed(SES, Failure(name="UnknownError", data={"message": "Agent not found"})),
    ),
    ("session.error", {}, backend_events.Failed("", Failure())),
    ("session.created", {"info": {"id": SES}}, backend_events.SessionChanged(SES, Session(id=SES), created=True)),
    ("session.updated", {"info": {"id": SES}}, backend_events.SessionChanged(SES, Session(id=SES), created=False)),
    ("session.deleted", {"info": {"id": SES}}, backend_events.SessionDeleted(SES)),
    ("session.deleted", {"sessionID": SES}, backend_events.SessionDeleted(SES)),
    ("message.updated", {"info": INFO}, backend_events.MessageChanged(SES, MessageInfo.read(INFO))),
    (
        "message.part.updated",
        {"sessionID": SES, "part": {"type": "text", "text": "Hi"}},
        backend_events.PartChanged(SES, {"type": "text", "text": "Hi"}),
    ),
    (
        "message.part.updated",
        {"part": {"sessionID": SES, "type": "text"}},
        backend_events.PartChanged(SES, {"sessionID": SES, "type": "text"}),
    ),
    (
        "message.part.delta",
        {"sessionID": SES, "messageID": "msg_1", "partID": "prt_1", "field": "text", "delta": "Hi"},
        backend_events.PartGrew(SES, "msg_1", "prt_1", "text", "Hi"),
    ),
    (
        "todo.updated",
        {"sessionID": SES, "todos": [{"content": "Plan", "status": "completed"}]},
        backend_events.TodosChanged(SES, [Todo(content="Plan", status="completed")]),
    ),
    ("permission.asked", ASKED, backend_events.PermissionAsked(SES, Permission.read(ASKED))),
    (
        "permission.replied",
        {"sessionID": SES, "requestID": "per_1", "reply": "once"},
        backend_events.RequestClosed(SES, "per_1"),
    ),
    ("question.asked", QUESTION, backend_events.QuestionAsked(SES, Question.read(QUESTION))),
    (
        "question.replied",
        {"sessionID": SES, "requestID": "que_1", "answers": []},
        backend_events.RequestClosed(SES, "que_1"),
    ),
    ("question.rejected", {"sessionID": SES, "requestID": "que_1"}, backend_events.RequestClosed(SES, "que_1")),
    ("worktree.ready", {"name": "x", "branch": "opencode/x"}, backend_events.WorktreeReady("")),
    ("worktree.failed", {"message": "No space"}, backend_events.WorktreeReady("", "No space")),
    ("server.instance.disposed", {"directory": "/p"}, backend_events.InstanceDisposed("", "/p")),
    ("global.disposed", {}, backend_events.InstanceDisposed("", "")),
]


@for_each(("kind", "properties", "event"), EVENTS)
def test_each_known_event_is_read(kind: str, properties: object, event: Event) -> None:
    assert parse(line(kind, properties)) == event


def test_the_table_has_an_example_of_every_event_that_is_read() -> None:
    assert {kind for kind, _, _ in EVENTS} == set(event_parser.PARSERS)


def test_an_event_without_the_wrapper_of_the_global_stream_is_read_too() -> None:
    assert parse(json.dumps({"type": "session.idle", "properties": {"sessionID": SES}})) == backend_events.Idle(SES)


@for_each("kind", ["server.connected", "server.heartbeat", "plugin.added", "file.edited", "", "session"])
def test_an_event_that_nobody_has_a_use_for_is_nothing(kind: str) -> None:
    assert parse(line(kind, {})) is None


@for_each(
    "data",
    [
        "",
        "null",
        "[]",
        "3",
        '"text"',
        "{",
        '{"payload":[]}',
        '{"payload":"text"}',
        '{"payload":{"type":["session.idle"]}}',
        '{"payload":{"type":"session.idle","properties":[1]}}',
        line("session.status", {"sessionID": SES}),
        line("session.created", {"info": "ses_1"}),
        line("message.updated", {"info": {"id": "msg_1"}}),
        line("permission.asked", {"id": "per_1"}),
        line("todo.updated", {"sessionID": SES, "todos": "none"}),
        line("message.part.updated", {"sessionID": SES, "part": "text"}),
    ],
)
def test_a_line_that_cannot_be_read_is_nothing(data: str) -> None:
    assert parse(data) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(event_parser.PARSERS)), JSON_VALUES)
def test_whatever_a_known_event_carries_no_line_stops_the_stream(kind: str, properties: object) -> None:
    assert isinstance(parse(line(kind, properties)), Event | None)


@given(
    st.sampled_from(sorted(event_parser.PARSERS)),
    st.sampled_from(["info", "part", "status", "error", "todos"]),
    JSON_VALUES,
)
def test_whatever_is_inside_a_known_event_no_line_stops_the_stream(kind: str, name: str, value: object) -> None:
    assert isinstance(parse(line(kind, {"sessionID": SES, name: value})), Event | None)


def test_an_event_keeps_fields_that_nobody_here_names() -> None:
    event = parse(line("session.created", {"info": {"id": SES, "brandNew": 1}}))
    assert isinstance(event, backend_events.SessionChanged)
    assert event.session.model_dump()["brandNew"] == 1


def test_the_second_copy_of_an_event_is_noise() -> None:
    synced = {"directory": "/p", "payload": {"type": "sync", "syncEvent": {"type": "message.updated.1"}}}
    assert is_noise(json.dumps(synced, separators=(",", ":")))


def test_an_event_that_only_mentions_copies_is_kept() -> None:
    assert not is_noise(line("message.part.delta", {"delta": '"payload":{"type":"sync"'}))


@pytest.mark.parametrize(("wrapped", "place"), [("/p", "/p"), ("global", ""), ("", ""), (None, "")])
def test_an_event_names_the_directory_in_which_it_is_sent(wrapped: str | None, place: str) -> None:
    sent = {"directory": wrapped, "payload": {"type": "session.idle", "properties": {"sessionID": SES}}}
    event = parse(json.dumps(sent))
    assert event
    assert event.place == place


def test_a_change_of_a_session_is_about_the_sessions_own_directory() -> None:
    event = parse(line("session.updated", {"info": {"id": SES, "directory": "/own"}}))
    assert event
    assert event.place == "/own"

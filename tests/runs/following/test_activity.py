"""The line on what a run does now, from the event stream and from the messages on record."""

from typing import Any

from opencode_mcp.events.session_state import SessionState, fold
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.runs.following.activity import CurrentTime, activity_on_record, activity_on_stream
from tests.harness.each import for_each

SES, CHILD, PROMPT, ANSWER = "ses_1", "ses_2", "msg_1", "msg_2"
NOW = CurrentTime(stream=100.0, opencode=1_000_000.0)
RETRY = SessionStatus(type="retry", attempt=2, message="429 Slow down", next=NOW.opencode + 8000)
BUSY = SessionStatus(type="busy")


def activity_after(*events: tuple[float, backend_events.Event]) -> str:
    """The activity of a session after some events, each with the time of its arrival."""
    states = {SES: SessionState(), CHILD: SessionState()}
    for moment, event in events:
        fold(states[event.session_id], event, moment)
    return activity_on_stream(lambda name: states[name], SES, "/p", NOW)


def prompted(moment: float = 90) -> tuple[float, backend_events.Event]:
    return moment, backend_events.MessageChanged(SES, MessageInfo(id=PROMPT, session_id=SES, role="user"))


def tool(name: str, status: str, session: str = SES, call: str = "prt_1", **state: object) -> backend_events.Event:
    part = {"id": call, "type": "tool", "tool": name, "state": {"status": status, **state}}
    return backend_events.PartChanged(session, part)


def part(kind: str, text: str = "", **more: object) -> backend_events.Event:
    return backend_events.PartChanged(
        SES, {"id": f"prt_{kind}", "type": kind, "messageID": ANSWER, "text": text, **more}
    )


def grew(delta: str) -> backend_events.Event:
    return backend_events.PartGrew(SES, ANSWER, "prt_text", "text", delta)


LISTS: dict[str, Any] = {"input": {"command": "ls"}}
READS: dict[str, Any] = {"input": {"filePath": "/p/src/a.py"}}


@for_each(
    ("events", "line"),
    [
        ([prompted(86)], "waiting for the model, no output for 14 s"),
        ([prompted(99.5)], "waiting for the model"),
        ([prompted(), (93, backend_events.StatusChanged(SES, RETRY))], "retrying in 8 s (attempt 2): 429 Slow down"),
        (
            [
                prompted(),
                (93, backend_events.StatusChanged(SES, RETRY)),
                (95, backend_events.StatusChanged(SES, BUSY)),
            ],
            "waiting for the model, no output for 10 s",
        ),
        ([prompted(), (59, tool("bash", "running", **LISTS))], "bash: ls (41 s)"),
        ([prompted(), (99.5, tool("read", "running", **READS))], "read: src/a.py"),
        ([prompted(), (92, tool("write", "pending"))], "the model is writing a call of write (8 s)"),
        (
            [prompted(), (92, tool("bash", "pending")), (95, tool("bash", "running", **LISTS))],
            "bash: ls (5 s)",
        ),
        (
            [prompted(), (92, tool("bash", "running", **LISTS)), (95, tool("bash", "running", **LISTS))],
            "bash: ls (8 s)",
        ),
        (
            [prompted(), (92, tool("bash", "running", **LISTS)), (97, tool("bash", "completed", **LISTS))],
            "waiting for the model, no output for 3 s",
        ),
        (
            [prompted(), (91, tool("bash", "running", **LISTS)), (92, tool("read", "running", call="b", **READS))],
            "bash: ls (9 s) · read: src/a.py (8 s)",
        ),
        ([prompted(), (92, part("text")), (99.5, grew("Hello"))], "writing, 5 characters"),
        ([prompted(), (92, part("text")), (95, grew("Hello"))], "writing, 5 characters, no further output for 5 s"),
        ([prompted(), (92, part("text")), (97, part("text", "Hello"))], "waiting for the model, no output for 3 s"),
        (
            [prompted(), (97, part("text", "Hello", time={"start": 1, "end": 2}))],
            "waiting for the model, no output for 3 s",
        ),
        ([prompted(), (99.5, part("text", "Hello", time={"start": 1}))], "writing, 5 characters"),
        ([prompted(), (99.5, part("reasoning"))], "the model is thinking"),
        (
            [
                prompted(),
                (92, tool("task", "running", input={"description": "Look"}, metadata={"sessionId": CHILD})),
                (95, tool("bash", "running", CHILD, **LISTS)),
            ],
            "task: Look (8 s); subagent: bash: ls (5 s)",
        ),
        ([prompted(), (92, tool("bash", "running", **LISTS)), (95, backend_events.Idle(SES))], "waiting for the model"),
    ],
)
def test_the_stream_reports_what_is_done_now(events: list[tuple[float, backend_events.Event]], line: str) -> None:
    assert activity_after(*events) == line


def test_of_many_calls_the_first_are_named_and_the_rest_counted() -> None:
    calls = [(99.9, tool("bash", "running", call=str(number), **LISTS)) for number in range(5)]
    assert activity_after(prompted(), *calls) == "bash: ls · bash: ls · bash: ls · and 2 more calls"


def message(*parts: dict[str, Any]) -> Message:
    info = {"id": ANSWER, "sessionID": SES, "role": "assistant", "time": {"created": 1}}
    return Message.read({"info": info, "parts": list(parts)})


def call(status: str, **state: object) -> dict[str, Any]:
    return {"type": "tool", "tool": "bash", "state": {"status": status, **LISTS, **state}}


def words(kind: str, text: str, **more: object) -> dict[str, Any]:
    return {"type": kind, "text": text, **more}


@for_each(
    ("answers", "status", "line"),
    [
        ([], None, "waiting for the model"),
        ([message(call("running", time={"start": NOW.opencode - 41_000}))], BUSY, "bash: ls (41 s)"),
        ([message(call("running"))], BUSY, "bash: ls"),
        ([message(call("completed"))], BUSY, "waiting for the model, no output for 1000 s"),
        (
            [message(call("completed", time={"start": 1, "end": NOW.opencode - 120_000}))],
            BUSY,
            "waiting for the model, no output for 120 s",
        ),
        ([message(words("text", "Hello"))], BUSY, "writing, 5 characters"),
        ([message(words("reasoning", "Hm"))], BUSY, "the model is thinking"),
        (
            [message(words("text", "Hello", time={"start": 1, "end": NOW.opencode - 500}))],
            BUSY,
            "waiting for the model",
        ),
        ([message(words("text", ""))], BUSY, "the model has begun its answer; its text is not known here"),
        ([message(call("running")), message()], BUSY, "waiting for the model, no output for 1000 s"),
        ([message(call("completed"))], RETRY, "retrying in 8 s (attempt 2): 429 Slow down"),
    ],
)
def test_the_record_reports_what_is_done_now(answers: list[Message], status: SessionStatus | None, line: str) -> None:
    assert activity_on_record(answers, "/p", status, NOW) == line


def test_the_record_reports_how_long_a_prompt_has_had_no_output() -> None:
    assert activity_on_record([], "/p", BUSY, NOW, age=14) == "waiting for the model, no output for 14 s"


def test_a_call_on_record_is_reported_with_what_its_subagent_does_if_that_was_followed() -> None:
    child = SessionState()
    asked = MessageInfo(id="msg_9", session_id=CHILD, role="user")
    state = {"status": "running", "metadata": {"sessionId": CHILD}, "time": {"start": NOW.opencode - 60_000}}
    delegated = {"type": "tool", "tool": "task", "state": {**state, "input": {"description": "Look"}}}
    answers = [message(delegated)]
    assert activity_on_record(answers, "/p", BUSY, NOW, state_of=lambda _: child) == "task: Look (60 s)"
    fold(child, backend_events.MessageChanged(CHILD, asked), 90)
    fold(child, tool("bash", "running", CHILD, **LISTS), 95)
    activity_now = activity_on_record(answers, "/p", BUSY, NOW, state_of=lambda _: child)
    assert activity_now == "task: Look (60 s); subagent: bash: ls (5 s)"

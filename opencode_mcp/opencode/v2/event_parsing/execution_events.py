"""Events about executions, inbox and model steps of OpenCode 2, converted to the bridge's events. Pure.

An execution is a busy period of a session. It answers the prompts that were delivered since its start, one or more; it
can also have none, for instance after a background subagent has ended.

A step is a model's answer, which is one assistant message. ``step.ended`` is reported as a message that is not
complete, and the end of the execution completes it. In between, which takes some milliseconds,
``runs/following/read_ahead.py`` reads the messages.

An interrupted execution has a reason. ``shutdown`` does not mean that the server ends: it is also the reason after a
rejected permission. The messages then show how the run ended.
"""

from collections.abc import Callable, Mapping

from opencode_mcp.opencode.v2.event_parsing.event_memory import Received
from opencode_mcp.opencode.v2.failures import failure_of, interruption
from opencode_mcp.opencode.v2.messages.message_conversions import CONVERTERS
from opencode_mcp.opencode.v2.messages.message_parts import part_id, tokens
from opencode_mcp.opencode.v2.model_pauses import pause_of
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Failed,
    Idle,
    MessageChanged,
    PartChanged,
    StatusChanged,
)
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.text.json_values import as_map, as_number, as_text, as_texts

STOPPED = frozenset({"user", "superseded", "inactivity"})
"""Reasons of an interruption that are an abort."""


def _started(received: Received) -> list[Event]:
    return [StatusChanged(received.session_id, SessionStatus(type="busy"))]


def _retry(received: Received) -> list[Event]:
    received.session.is_retrying = True
    return [StatusChanged(received.session_id, pause_of(received.data, received.created))]


def _succeeded(received: Received) -> list[Event]:
    return _end(received, [])


def _failed(received: Received) -> list[Event]:
    failure = failure_of(as_map(received.data.get("error"))) or Failure()
    return _end(received, [Failed(received.session_id, failure)])


def _interrupted(received: Received) -> list[Event]:
    stopped = as_text(received.data.get("reason")) in STOPPED
    return _end(received, [Failed(received.session_id, interruption())] if stopped else [])


def _end(received: Received, failure: list[Event]) -> list[Event]:
    completed = [] if failure else _completed_step(received)
    received.session.forget_work()
    received.session.calls.clear()
    idle = StatusChanged(received.session_id, SessionStatus(type="idle"))
    return [*completed, *failure, idle, Idle(received.session_id)]


def _completed_step(received: Received) -> list[Event]:
    """Return the last step as a complete message; nothing if the execution had none that ended."""
    step = received.session.step
    if not as_text(step.get("finish")):
        return []
    step["time"] = {**as_map(step.get("time")), "completed": step["ended"]}
    return [MessageChanged(received.session_id, _step_info(received).model_copy(update={"ended": True}))]


def _enqueued(received: Received) -> list[Event]:
    if as_text(as_map(received.data.get("item")).get("type")) not in {"", "user"}:
        received.session.other_inputs[as_text(received.data.get("inboxID"))] = True
    return []


def _delivered(received: Received) -> list[Event]:
    """Report the message that an entry of the inbox has become."""
    message_id = as_text(received.data.get("inboxID"))
    is_other = received.session.other_inputs.pop(message_id, False)
    if message_id and not (is_other and received.session.prompt):
        received.session.prompt = message_id
    return received.user_message(message_id)


def _synthetic(received: Received) -> list[Event]:
    """Report a text that OpenCode added in the user's name; it starts work if nothing is worked on."""
    received.session.prompt = received.session.prompt or received.message_id
    return received.user_message(received.message_id)


def _step_started(received: Received) -> list[Event]:
    data, session = received.data, received.session
    message_id = as_text(data.get("assistantMessageID"))
    if not message_id:
        return []
    session.step = {
        "id": message_id,
        "agent": as_text(data.get("agent")),
        "model": as_map(data.get("model")),
        "time": {"created": as_number(data.get("started")) or received.created},
        "prompt": session.prompt,
    }
    # The step of the next attempt is the only event about the end of a pause.
    busy = _started(received) if session.is_retrying else []
    session.is_retrying = False
    return [*busy, MessageChanged(received.session_id, _step_info(received))]


def _step_ended(received: Received) -> list[Event]:
    data = received.data
    if not as_text(data.get("assistantMessageID")):
        return []
    finish, cost = as_text(data.get("finish")) or "unknown", as_number(data.get("cost")) or 0
    finished = _part(received, "step-finish", reason=finish, cost=cost, tokens=tokens(data))
    if not _is_latest_step(received):
        return [finished, *_changed_files(received)]
    received.session.step |= {"finish": finish, "cost": cost, "tokens": tokens(data), "ended": received.created}
    return [finished, *_changed_files(received), MessageChanged(received.session_id, _step_info(received))]


def _step_failed(received: Received) -> list[Event]:
    if not _is_latest_step(received):
        return []
    data, step = received.data, received.session.step
    time = {**as_map(step.get("time")), "completed": received.created}
    step |= {"error": as_map(data.get("error")), "cost": as_number(data.get("cost")) or 0, "tokens": tokens(data)}
    step |= {"time": time}
    return [*_changed_files(received), MessageChanged(received.session_id, _step_info(received))]


def _is_latest_step(received: Received) -> bool:
    """Return True if the event is about the step that was started last; the start of another one was missed."""
    return received.session.step.get("id") == as_text(received.data.get("assistantMessageID"))


def _step_info(received: Received) -> MessageInfo:
    step = received.session.step
    return CONVERTERS["assistant"](step, received.session_id, as_text(step.get("prompt")))[0].info


def _changed_files(received: Received) -> list[Event]:
    files = as_texts(received.data.get("files"))
    return [_part(received, "patch", files=files)] if files else []


def _part(received: Received, kind: str, **fields: object) -> PartChanged:
    message_id = as_text(received.data.get("assistantMessageID"))
    owner = {"sessionID": received.session_id, "messageID": message_id}
    return PartChanged(received.session_id, {"id": part_id(message_id, kind, 0), **owner, "type": kind, **fields})


PARSERS: Mapping[str, Callable[[Received], list[Event]]] = {
    "session.execution.started": _started,
    "session.execution.succeeded": _succeeded,
    "session.execution.failed": _failed,
    "session.execution.interrupted": _interrupted,
    "session.retry.scheduled": _retry,
    "session.inbox.enqueued": _enqueued,
    "session.inbox.delivered": _delivered,
    "session.synthetic": _synthetic,
    "session.skill.activated": _synthetic,
    "session.step.started": _step_started,
    "session.step.ended": _step_ended,
    "session.step.failed": _step_failed,
}
"""Parsers by the type of the event."""

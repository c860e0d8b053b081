"""Events about the contents of OpenCode 2's messages, converted to the bridge's events. Pure.

A text has no id; message, kind and ``ordinal`` identify it, as in ``message_parts``. Tool calls become parts like those
of OpenCode 1, with the state that the call has after the event. Pieces of a call's input are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from opencode_mcp.opencode.v2.event_parsing.event_memory import OpenCall, Received
from opencode_mcp.opencode.v2.messages.compactions_and_shell_lines import OUTPUT
from opencode_mcp.opencode.v2.messages.message_parts import part_id
from opencode_mcp.opencode.v2.messages.tool_states import tool_state
from opencode_mcp.opencode.vocabulary.backend_events import Event, Idle, PartChanged, PartGrew, StatusChanged
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

UNNAMED = "tool"
"""Name of a tool if the event with its name was missed."""
SUBAGENT = "subagent"
SHELL = "shell"


def _message_of(received: Received) -> str:
    return as_text(received.data.get("assistantMessageID"))


def _text_id(received: Received, kind: str) -> str:
    return part_id(_message_of(received), kind, int(as_number(received.data.get("ordinal")) or 0))


def _text(kind: str, received: Received) -> list[Event]:
    if not _message_of(received):
        return []
    owner = {"sessionID": received.session_id, "messageID": _message_of(received)}
    part = {"id": _text_id(received, kind), **owner, "type": kind, "text": as_text(received.data.get("text"))}
    return [PartChanged(received.session_id, part)]


def _delta(kind: str, received: Received) -> list[Event]:
    message_id, delta = _message_of(received), as_text(received.data.get("delta"))
    if not message_id:
        return []
    return [PartGrew(received.session_id, message_id, _text_id(received, kind), "text", delta)]


def _input_started(received: Received) -> list[Event]:
    call = OpenCall(_message_of(received), as_text(received.data.get("name")))
    return _remember(received, call, {"status": "streaming"})


def _called(received: Received) -> list[Event]:
    call = replace(_known_call(received), input=as_map(received.data.get("input")))
    return _remember(received, call, {"status": "running"})


def _progress(received: Received) -> list[Event]:
    call = _known_call(received)
    return _remember(received, call, {"status": "running", "metadata": _metadata(received)})


def _success(received: Received) -> list[Event]:
    return _ended(received, {"status": "completed", "content": received.data.get("content")})


def _failed(received: Received) -> list[Event]:
    data = received.data
    return _ended(received, {"status": "error", "content": data.get("content"), "error": as_map(data.get("error"))})


def _known_call(received: Received) -> OpenCall:
    known = received.session.calls.get(as_text(received.data.get("id")))
    return known or OpenCall(_message_of(received), "")


def _metadata(received: Received) -> JsonMap:
    """Return the metadata of a call; a preview of OpenCode 2 wraps that of a running one in an object."""
    metadata = as_map(received.data.get("metadata"))
    return as_map(metadata.get("metadata")) or metadata


def _remember(received: Received, call: OpenCall, state: dict[str, object]) -> list[Event]:
    call_id = as_text(received.data.get("id"))
    if not call_id or not call.message_id:
        return []
    received.session.calls[call_id] = call
    return [_call_changed(received.session_id, call_id, call, state)]


def _ended(received: Received, state: dict[str, object]) -> list[Event]:
    call, call_id = _known_call(received), as_text(received.data.get("id"))
    received.session.calls.pop(call_id, None)
    if not call_id or not call.message_id:
        return []
    return [_call_changed(received.session_id, call_id, call, {**state, "metadata": _metadata(received)})]


def _call_changed(session_id: str, call_id: str, call: OpenCall, state: dict[str, object]) -> PartChanged:
    converted = tool_state({"input": call.input, **state})
    part = {
        "id": call_id,
        "callID": call_id,
        "sessionID": session_id,
        "messageID": call.message_id,
        "type": "tool",
        "tool": call.name or (SUBAGENT if "sessionId" in as_map(converted.get("metadata")) else UNNAMED),
        "state": converted,
    }
    return PartChanged(session_id, part)


def _shell_started(received: Received) -> list[Event]:
    """Report a person's shell line: its message, which has the event's own id, and a call of the shell tool."""
    shell = as_map(received.data.get("shell"))
    call = OpenCall(received.message_id + OUTPUT, SHELL, {"command": as_text(shell.get("command"))})
    call_id = as_text(shell.get("id"))
    received.session.calls[call_id] = call
    return [
        StatusChanged(received.session_id, SessionStatus(type="busy")),
        *received.user_message(received.message_id),
        _call_changed(received.session_id, call_id, call, {"status": "running"}),
    ]


def _shell_ended(received: Received) -> list[Event]:
    call_id = as_text(as_map(received.data.get("shell")).get("id"))
    call = received.session.calls.pop(call_id, None)
    idle = Idle(received.session_id)
    if call is None:
        return [idle]
    output = as_text(as_map(received.data.get("output")).get("output"))
    state: dict[str, object] = {"status": "completed", "content": [{"type": "text", "text": output}]}
    return [_call_changed(received.session_id, call_id, call, state), idle]


PARSERS: Mapping[str, Callable[[Received], list[Event]]] = {
    "session.text.started": partial(_text, "text"),
    "session.text.delta": partial(_delta, "text"),
    "session.text.ended": partial(_text, "text"),
    "session.reasoning.started": partial(_text, "reasoning"),
    "session.reasoning.delta": partial(_delta, "reasoning"),
    "session.reasoning.ended": partial(_text, "reasoning"),
    "session.tool.input.started": _input_started,
    "session.tool.called": _called,
    "session.tool.progress": _progress,
    "session.tool.success": _success,
    "session.tool.failed": _failed,
    "session.shell.started": _shell_started,
    "session.shell.ended": _shell_ended,
}
"""Parsers by the type of the event."""

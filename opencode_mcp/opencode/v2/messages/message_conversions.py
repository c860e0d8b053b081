"""Conversion of each type of OpenCode 2's messages to the vocabulary, without regard to the other messages. Pure."""

from collections.abc import Callable, Mapping

from opencode_mcp.opencode.v2.failures import failure_of
from opencode_mcp.opencode.v2.messages.message_parts import (
    PartList,
    add_answer,
    add_prompt,
    skill_text,
    tokens,
)
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

STEP_FAILED = "error"
"""Value of ``finish`` of a step that failed; its error says more."""

Converter = Callable[[JsonMap, str, str], list[Message]]
"""Converts a message of a session; the last argument is the prompt that an assistant's message answers."""


def make_message(parts: PartList, role: str, time: Mapping[str, object], **fields: object) -> Message:
    """Make a message of parts; the fields are those of ``MessageInfo`` as OpenCode spells them.

    Raises:
        BackendFailed: A value cannot be read.
    """
    identity = {"id": parts.message_id, "sessionID": parts.session_id}
    return Message.read({"info": {**identity, "role": role, "time": time, **fields}, "parts": parts.items})


def empty_answer(message_id: str, session_id: str, prompt: str, milliseconds: float) -> Message:
    """Make an assistant's message without content, begun and completed at a moment in milliseconds since the epoch."""
    time = {"created": milliseconds, "completed": milliseconds}
    return make_message(PartList(session_id, message_id), "assistant", time, parentID=prompt)


def created_in(item: JsonMap) -> dict[str, object]:
    """Return the time at which a message was created, as JSON of ``models.Span``."""
    return {"created": as_number(as_map(item.get("time")).get("created")) or 0}


def span_in(item: JsonMap) -> dict[str, object]:
    """Return the times at which a message was created and completed, as JSON of ``models.Span``."""
    return {**created_in(item), "completed": as_number(as_map(item.get("time")).get("completed"))}


def usage_in(item: JsonMap) -> dict[str, object]:
    """Return model, cost and tokens of a message, as JSON of ``models.MessageInfo``."""
    model = as_map(item.get("model"))
    return {
        "providerID": as_text(model.get("providerID")),
        "modelID": as_text(model.get("id")),
        "variant": as_text(model.get("variant")),
        "cost": as_number(item.get("cost")) or 0,
        "tokens": tokens(item),
    }


def _user(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    parts = PartList(session_id, as_text(item.get("id")))
    add_prompt(parts, item)
    return [make_message(parts, "user", created_in(item), metadata=dict(as_map(item.get("metadata"))))]


def _assistant(item: JsonMap, session_id: str, prompt: str) -> list[Message]:
    parts = PartList(session_id, as_text(item.get("id")))
    add_answer(parts, item)
    error, finish = failure_of(as_map(item.get("error"))), as_text(item.get("finish"))
    fields: dict[str, object] = {
        **usage_in(item),
        "parentID": prompt,
        "agent": as_text(item.get("agent")),
        "finish": "" if error and finish == STEP_FAILED else finish,
        "error": error,
    }
    return [make_message(parts, "assistant", _step_span(item), **fields)]


def _step_span(item: JsonMap) -> dict[str, object]:
    """Return the times of a step, without an end if it was broken off.

    The next step of the session gives a time of completion to a step in which the server was killed, also if that step
    belongs to another prompt. A step that ended by itself says how it ended.
    """
    return span_in(item) if item.get("finish") or item.get("error") else created_in(item)


def _synthetic(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    return [_added(item, session_id, "user", as_text(item.get("text")))]


def _skill(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    return [_added(item, session_id, "user", skill_text(item))]


def _system(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    return [_added(item, session_id, "system", as_text(item.get("text")))]


def _added(item: JsonMap, session_id: str, role: str, text: str) -> Message:
    parts = PartList(session_id, as_text(item.get("id")))
    parts.add("text", text=text, synthetic=True)
    return make_message(parts, role, created_in(item), metadata=dict(as_map(item.get("metadata"))))


def _agent_switched(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    return [_notice("agent", as_text(item.get("agent")), item, session_id)]


def _model_switched(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    model = as_map(item.get("model"))
    return [_notice("model", f"{as_text(model.get('providerID'))}/{as_text(model.get('id'))}", item, session_id)]


def _location_switched(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    return [_notice("directory", as_text(as_map(item.get("location")).get("directory")), item, session_id)]


def _notice(subject: str, value: str, item: JsonMap, session_id: str) -> Message:
    parts = PartList(session_id, as_text(item.get("id")))
    parts.add("notice", subject=subject, value=value)
    return make_message(parts, "system", created_in(item))


CONVERTERS: Mapping[str, Converter] = {
    "user": _user,
    "assistant": _assistant,
    "synthetic": _synthetic,
    "skill": _skill,
    "system": _system,
    "agent-switched": _agent_switched,
    "model-switched": _model_switched,
    "location-switched": _location_switched,
}
"""Converters by the type of the message."""

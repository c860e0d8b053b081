"""Contents of OpenCode 2's messages as parts of the vocabulary. Pure.

OpenCode 2 gives an id to tool calls only. Another part is identified by its message, its kind and its position among
the parts of that kind. The events about a text have the same position as ``ordinal``.
"""

from collections import Counter

from opencode_mcp.opencode.v2.failures import failure_of
from opencode_mcp.opencode.v2.messages.tool_states import tool_state
from opencode_mcp.opencode.v2.model_pauses import pause_of
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text, as_texts


def part_id(message_id: str, kind: str, position: int) -> str:
    """Return the id of a part; the position counts from 0 for each kind."""
    return f"{message_id}:{kind}:{position}"


class PartList:
    """Parts of one message, as JSON of ``models.Part``.

    Args:
        session_id: The session.
        message_id: The message.
    """

    def __init__(self, session_id: str, message_id: str) -> None:
        self.session_id = session_id
        self.message_id = message_id
        self.items: list[dict[str, object]] = []
        self._positions = Counter[str]()

    def add(self, kind: str, **fields: object) -> None:
        """Append a part of a kind."""
        identity = part_id(self.message_id, kind, self._positions[kind])
        self._positions[kind] += 1
        owner = {"sessionID": self.session_id, "messageID": self.message_id}
        self.items.append({"id": identity, **owner, "type": kind, **fields})


def add_prompt(parts: PartList, message: JsonMap) -> None:
    """Add the parts of a prompt: its text, files, agents and skills."""
    parts.add("text", text=as_text(message.get("text")))
    for file in as_maps(message.get("files")):
        parts.add("file", url=_url(file), mime=as_text(file.get("mime")), filename=as_text(file.get("name")))
    for agent in as_maps(message.get("agents")):
        parts.add("agent", name=as_text(agent.get("name")))
    for skill in as_maps(message.get("skills")):
        parts.add("text", text=skill_text(skill), synthetic=True)


def _url(file: JsonMap) -> str:
    """Return the place from which a file was read; a data URL if it was sent without one."""
    place = as_text(as_map(file.get("source")).get("uri")) or as_text(file.get("uri"))
    return place or f"data:{as_text(file.get('mime'))};base64,{as_text(file.get('data'))}"


def skill_text(skill: JsonMap) -> str:
    """Return the name of a skill, and its instructions if OpenCode shows them."""
    title = f"Skill {as_text(skill.get('name')) or as_text(skill.get('id')) or as_text(skill.get('skill'))}"
    instructions = as_text(skill.get("text"))
    return f"{title}:\n{instructions}" if instructions else title


def add_answer(parts: PartList, message: JsonMap) -> None:
    """Add the parts of one step of the model; content of an unknown type is left out."""
    for content in as_maps(message.get("content")):
        kind = as_text(content.get("type"))
        if kind in {"text", "reasoning"}:
            parts.add(kind, text=as_text(content.get("text")))
        elif kind == "tool":
            _add_call(parts, content)
    _add_retry(parts, as_map(message.get("retry")))
    _add_end(parts, message)


def _add_call(parts: PartList, call: JsonMap) -> None:
    call_id = as_text(call.get("id"))
    state = tool_state(as_map(call.get("state"))) | {"time": _call_times(as_map(call.get("time")))}
    parts.add("tool", id=call_id, callID=call_id, tool=as_text(call.get("name")), state=state)


def _call_times(time: JsonMap) -> dict[str, object]:
    return {
        "start": as_number(time.get("ran")) or as_number(time.get("created")),
        "end": as_number(time.get("completed")),
    }


def _add_retry(parts: PartList, retry: JsonMap) -> None:
    """Add the failed attempt."""
    if retry:
        parts.add("retry", attempt=pause_of(retry).attempt, error=failure_of(as_map(retry.get("error"))) or {})


def _add_end(parts: PartList, message: JsonMap) -> None:
    if as_number(as_map(message.get("time")).get("completed")) is None:
        return
    cost = as_number(message.get("cost")) or 0
    snapshot = as_map(message.get("snapshot"))
    recorded = {"snapshot": end} if (end := as_text(snapshot.get("end"))) else {}
    parts.add("step-finish", reason=as_text(message.get("finish")), cost=cost, tokens=tokens(message), **recorded)
    if files := as_texts(snapshot.get("files")):
        parts.add("patch", files=files)


def tokens(message: JsonMap) -> dict[str, object]:
    """Return the tokens of a message, as JSON of ``models.Tokens``."""
    used = as_map(message.get("tokens"))
    return {name: as_number(used.get(name)) or 0 for name in ("input", "output", "reasoning")}

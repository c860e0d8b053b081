"""The preview's JSON in the shapes of the released contract. Pure; what is given may be changed."""

import re
from typing import Any, cast

Json = dict[str, Any]
NATIVE = ("state", "providerState", "resultState", "providerResultState")
"""The preview's names for what a provider keeps with a part."""
STATUS = re.compile(r"HTTP (\d{3})")


def place(holder: Json) -> Json:
    """Reduce the location in a reply to the directory."""
    location = holder.get("location")
    if isinstance(location, dict):
        holder["location"] = {"directory": cast("Json", location)["directory"]}
    return holder


def boundary(message_id: str | None) -> Json:
    """Say where a fork was cut off."""
    return {"type": "before", "messageID": message_id} if message_id else {"type": "through", "messageID": "msg_"}


def session(info: Json) -> Json:
    """A session, without what only the released server knows of it."""
    fork = cast("Json | None", info.get("fork"))
    if fork:
        info["fork"] = {"sessionID": fork["sessionID"], "boundary": boundary(fork.get("messageID"))}
    return place(info)


def native(part: Json) -> Json:
    """A text, a reasoning, or an event about one, with the provider's own data under its released name."""
    for name in NATIVE:
        if name in part:
            part["native"] = part.pop(name)
    return part


def tool_event(data: Json) -> Json:
    """The data of an event about a tool call."""
    data["id"] = data.pop("callID")
    return native(data)


def message(found: Json) -> Json:
    """A message of a session."""
    found.pop("recent", None)
    if found["type"] == "assistant":
        found["content"] = [_part(part) for part in cast("list[Json]", found["content"])]
        error(found.get("error"))
        if found.get("finish"):
            found["rawFinish"] = found["finish"]
    return found


def _part(part: Json) -> Json:
    """A part of a message; in a tool call ``state`` is its progress and nothing of the provider's."""
    if part["type"] != "tool":
        return native(part)
    state = part.pop("state")
    return {**native(part), "state": state}


def error(found: Json | None) -> Json | None:
    """An error with the HTTP status that the preview has in its text only."""
    status = STATUS.search(found["message"]) if found else None
    if found and status:
        found.setdefault("status", int(status[1]))
    return found


def inbox_item(pending: Json) -> Json:
    """An admitted prompt, synthetic input or compaction."""
    return {
        "id": pending["id"],
        "sessionID": pending["sessionID"],
        "time": {"created": pending["timeCreated"]},
        "type": pending["type"],
        "payload": pending.get("data") or {},
        "delivery": pending.get("delivery") or "steer",
    }


def admitted_before(found: Json, session_id: str) -> Json:
    """A prompt that is a message by now, as it was admitted."""
    payload = {name: found[name] for name in ("text", "files", "agents", "metadata") if name in found}
    created = {"created": found["time"]["created"]}
    return {
        "id": found["id"],
        "sessionID": session_id,
        "time": created,
        "type": "user",
        "payload": payload,
        "delivery": "steer",
    }


def permission(asked: Json) -> Json:
    """A permission that is asked for."""
    source = cast("Json | None", asked.get("source"))
    if source and "callID" in source:
        source["id"] = source.pop("callID")
    return asked


def saved_permission(saved: Json) -> Json:
    """A saved permission; the preview does not know when it was saved."""
    saved.setdefault("time", {"created": 0, "updated": 0})
    return saved


def form(asked: Json) -> Json:
    """A form, with the tool call that opened it."""
    tool = cast("Json", asked.get("metadata") or {}).get("tool")
    if isinstance(tool, dict) and "callID" in tool:
        cast("Json", tool)["id"] = cast("Json", tool).pop("callID")
    return asked


def project(found: Json) -> Json:
    """A project."""
    found["canonical"] = found.pop("worktree")
    found["time"].setdefault("active", found["time"]["updated"])
    return found


def location(found: Json) -> Json:
    """A resolved location."""
    found["project"].setdefault("canonical", found["project"]["directory"])
    return found


def command(found: Json) -> Json:
    """A command, without its template."""
    return {name: found[name] for name in ("name", "description") if name in found}


def provider(found: Json) -> Json:
    """A provider."""
    found.setdefault("activation", "auto")
    return found


def skill(found: Json) -> Json:
    """A skill."""
    found["path"] = found.pop("location", found.get("path", "/"))
    found.pop("slash", None)
    return found


def plugin(found: Json) -> Json:
    """A plugin; the preview lists those that are active, by their ids."""
    return {**found, "source": {"type": "builtin"}, "features": {"server": True}, "state": {"status": "active"}}


def integration(found: Json) -> Json:
    """An integration, without the questions that the preview asks in a form of its own."""
    for method in cast("list[Json]", found["methods"]):
        method.pop("prompts", None)
    return found

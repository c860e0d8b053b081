"""The preview's events as those of the released contract: none, one or two for each. Pure.

``session.step.streamed`` is left out: it is durable there, and the preview has no number in the sequence for it.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tests.harness.opencode2.proxy import shapes

Json = dict[str, Any]

DROPPED = frozenset(
    {
        "plugin.added",
        "integration.connection.updated",
        "project.directories.updated",
        "session.updated",
        "session.error",
    }
)
"""Events that the released server does not send."""
CREATED = ("projectID", "slug", "title", "agent", "model", "parentID", "version")
"""Fields of the event about a new session, apart from its place."""
ENDS = {
    "session.execution.succeeded": "succeeded",
    "session.execution.failed": "failed",
    "session.execution.interrupted": "interrupted",
}
"""The events that end an execution, and the outcome that each means."""


def translate(event: Json, *, user_rejects: bool = False) -> list[Json]:
    """Translate an event.

    Args:
        event: The preview's event; it is changed.
        user_rejects: See ``Switches``.
    """
    kind = str(event["type"])
    if kind in DROPPED or kind.startswith("message."):
        return []
    if user_rejects:
        give_users_reason(event)
    if not event.get("location"):
        event.pop("location", None)
    return SPECIAL.get(kind, _changed)(event)


def give_users_reason(event: Json) -> None:
    """Have an execution that a rejection ended say so; the preview says ``shutdown``."""
    if event["type"] == "session.execution.interrupted" and event["data"].get("reason") == "shutdown":
        event["data"]["reason"] = "user"


def _changed(event: Json) -> list[Json]:
    data = cast("Json", event.get("data") or {})
    for start, change in CHANGES.items():
        if event["type"].startswith(start):
            change(data)
    shapes.error(data.get("error"))
    return [event]


def _created(event: Json) -> list[Json]:
    info = cast("Json", event["data"]["info"])
    fields = {name: info[name] for name in CREATED if info.get(name) is not None}
    session = event["data"]["sessionID"]
    event["data"] = {"sessionID": session, "location": {"directory": info["directory"]}, **fields}
    return [event]


def _deleted(event: Json) -> list[Json]:
    event["data"] = {"sessionID": event["data"]["sessionID"]}
    return [event]


def _admitted(event: Json) -> list[Json]:
    item = cast("Json", event["data"]["input"])
    return _enqueued(event, item["type"], item["data"], item["delivery"])


def _compaction(event: Json) -> list[Json]:
    return _enqueued(event, "compaction", {}, "steer")


def _enqueued(event: Json, kind: str, payload: object, delivery: str) -> list[Json]:
    item = {"type": kind, "payload": payload, "delivery": delivery}
    data = {"sessionID": event["data"]["sessionID"], "inboxID": event["data"]["inputID"], "item": item}
    return [{**event, "type": "session.inbox.enqueued", "data": data}]


def _promoted(event: Json) -> list[Json]:
    data = {"sessionID": event["data"]["sessionID"], "inboxID": event["data"]["inputID"]}
    return [{**event, "type": "session.inbox.delivered", "data": data}]


def _step_started(event: Json) -> list[Json]:
    event["data"]["started"] = event["created"]
    return [event]


def _step_ended(event: Json) -> list[Json]:
    event["data"].setdefault("rawFinish", event["data"]["finish"])
    return [event]


def _forked(event: Json) -> list[Json]:
    data = cast("Json", event["data"])
    cut = shapes.boundary(data.get("from"))
    event["data"] = {"sessionID": data["sessionID"], "parentID": data["parentID"], "boundary": cut}
    return [event]


def _catalog(event: Json) -> list[Json]:
    return [{**event, "id": f"{event['id']}p", "type": "provider.updated"}, {**event, "type": "model.updated"}]


def _form(event: Json) -> list[Json]:
    shapes.form(event["data"]["form"])
    return [event]


SPECIAL: Mapping[str, Callable[[Json], list[Json]]] = {
    "session.created": _created,
    "session.deleted": _deleted,
    "session.input.admitted": _admitted,
    "session.input.promoted": _promoted,
    "session.compaction.admitted": _compaction,
    "session.step.started": _step_started,
    "session.step.ended": _step_ended,
    "session.forked": _forked,
    "catalog.updated": _catalog,
    "form.created": _form,
}
CHANGES: Mapping[str, Callable[[Json], object]] = {
    "session.tool.": shapes.tool_event,
    "session.text.": shapes.native,
    "session.reasoning.": shapes.native,
    "session.compaction.": lambda data: data.pop("recent", None),
    "permission.asked": shapes.permission,
}

"""Drafts as lines for the wire, each with what the bridge owes for it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from tests.fuzz.drafts import Draft
from tests.fuzz.pools import RAW, RAW_OPEN
from tests.harness.bridges.rawrpc import Host

Json = dict[str, Any]
Owed = Literal["answer", "answer or null", "null", "anything"]
"""An answer is one with the request's id, a null is an error whose id is null; never more than one of them."""
RAW_TEXT = re.compile(r'"\\ue000([a-z-]+)\\ue001"')
STREAM = "subscriptions/listen"


@dataclass(frozen=True, slots=True)
class Shot:
    """One line to send."""

    line: bytes
    id: int | str | None
    owed: Owed
    about: str
    """The method, and the tool of a call."""


def shots_of(drafts: Sequence[Draft], host: Host, places: Mapping[str, str], *, first: int) -> list[Shot]:
    """Number drafts from ``first`` on and encode them.

    Args:
        drafts: What to send, in this order.
        host: Whose envelope they carry.
        places: What the names in braces stand for.
        first: The first id; ids are never used twice on one connection.
    """
    shots: list[Shot] = []
    for number, draft in enumerate(drafts, first):
        if draft.kind == "cancel" and shots:
            # The request before this one may or may not have been answered when its cancellation arrives.
            shots[-1] = _unowed(shots[-1])
        shots.append(_shot(draft, number, host, places))
    return shots


def _unowed(shot: Shot) -> Shot:
    return replace(shot, owed="anything") if shot.id is not None else shot


def _shot(draft: Draft, number: int, host: Host, places: Mapping[str, str]) -> Shot:
    identity = f"fuzz-{number}" if draft.text_id else number
    if draft.kind == "raw":
        line = draft.raw.replace(b"\n", b" ")
        # A blank line says nothing, so nobody need answer it.
        return Shot(line, None, "null" if line.strip() else "anything", "raw")
    message = _message(draft, identity, host)
    text = _encoded(message, places)
    readable = identity if draft.kind in {"request", "response"} else None
    return Shot(text.encode(), readable, _owed(draft), _about(draft))


def _message(draft: Draft, identity: int | str, host: Host) -> Json:
    match draft.kind:
        case "cancel":
            fields: Json = {"method": "notifications/cancelled", "params": _cancelled(draft.params, identity)}
        case "response":
            fields = {"id": identity}
        case "request":
            fields = {"method": draft.method, "params": _with_envelope(draft, host), "id": identity}
        case "bad-id":
            fields = {"method": draft.method, "params": draft.params, "id": identity}
        case _:
            fields = {"method": draft.method, "params": draft.params}
    return {"jsonrpc": "2.0", **fields, **draft.extra}


def _cancelled(params: object, identity: int | str) -> Json:
    before = identity - 1 if isinstance(identity, int) else identity
    return {"requestId": before, **(cast("Json", params) if isinstance(params, dict) else {})}


def _with_envelope(draft: Draft, host: Host) -> object:
    params: object = draft.params
    if host.modern and draft.enveloped and isinstance(params, dict):
        return {"_meta": host.envelope(), **cast("Json", params)}
    return draft.params


def _encoded(message: Json, places: Mapping[str, str]) -> str:
    text = json.dumps(message)
    for name, place in places.items():
        text = text.replace(f"{{{name}}}", place)
    return RAW_TEXT.sub(lambda found: RAW[found[1]], text)


def _owed(draft: Draft) -> Owed:
    match draft.kind:
        case "request" if draft.method == STREAM:
            # A stream is answered when it ends.
            return "anything"
        case "request":
            return "answer or null" if _holds_raw(draft) or not isinstance(draft.method, str) else "answer"
        case "bad-id":
            return "null"
        case _:
            return "anything"


def _holds_raw(draft: Draft) -> bool:
    return RAW_OPEN in json.dumps([draft.method, draft.params, draft.extra], ensure_ascii=False)


def _about(draft: Draft) -> str:
    tool = _name_in(draft.params) if draft.method == "tools/call" else ""
    return " ".join(str(word)[:60] for word in (draft.kind, draft.method, tool) if word)


def _name_in(params: object) -> object:
    return cast("Json", params).get("name") if isinstance(params, dict) else ""

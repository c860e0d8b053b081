"""State of the stand-in: sessions, their inboxes, their requests. Pure, in the shapes of the contract."""

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

Json = dict[str, Any]
NO_TOKENS: Json = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}
GIVEN = ("title", "agent", "model", "metadata", "permissions", "parentID")
"""Fields that a session shows as they were given."""


def now() -> float:
    """The time in milliseconds since 1970."""
    return time.time() * 1000


@dataclass(slots=True)
class Session:
    """A session of the stand-in; it runs nothing, and a test writes what it shows of its work."""

    info: Json
    messages: list[Json] = field(default_factory=list[Json])
    """Oldest first."""
    is_active: bool = False
    inbox: list[Json] = field(default_factory=list[Json])
    permissions: list[Json] = field(default_factory=list[Json])

    def admit(self, body: Json, identifier: str) -> Json:
        """Put a prompt into the inbox, where it stays; the same id is admitted once."""
        known = self.item(body.get("id", ""))
        if known:
            return known
        payload = {name: body[name] for name in ("text", "files", "agents", "skills", "metadata") if name in body}
        item = {
            "id": body.get("id") or f"msg_{identifier}",
            "sessionID": self.info["id"],
            "time": {"created": now()},
            "type": "user",
            "payload": payload,
            "delivery": body.get("delivery") or "steer",
        }
        self.inbox.append(item)
        return item

    def begin(self) -> str:
        """Begin the first prompt of the inbox, and return its id."""
        item = self.inbox.pop(0)
        self.is_active = True
        self.messages.append({"id": item["id"], "type": "user", "time": {"created": now()}, **item["payload"]})
        return item["id"]

    def item(self, identifier: str) -> Json | None:
        """Find what the inbox holds under an id."""
        return next((item for item in self.inbox if item["id"] == identifier), None)


class State:
    """All sessions of the stand-in."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self._numbers = count(1)

    def identifier(self) -> str:
        """Make the next part of an id."""
        return f"{next(self._numbers):06}"

    def create(self, body: Json, directory: str) -> Session:
        """Make a session; the same id gives the same session."""
        identifier = body.get("id") or f"ses_{self.identifier()}"
        if identifier in self.sessions:
            return self.sessions[identifier]
        place = cast("Json", body.get("location") or {"directory": directory})
        info: Json = {
            "id": identifier,
            "projectID": "global",
            "cost": 0,
            "tokens": NO_TOKENS,
            "time": {"created": now(), "updated": now()},
            "location": place,
            **{name: body[name] for name in GIVEN if body.get(name) is not None},
        }
        return self.sessions.setdefault(identifier, Session(info))

    def end_asks(self) -> None:
        """Forget all permissions that are asked for, as a reload does."""
        for session in self.sessions.values():
            session.permissions.clear()

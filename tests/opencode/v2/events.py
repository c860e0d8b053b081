"""Lines of OpenCode 2's event stream, made by hand."""

import json
from typing import Any

from opencode_mcp.opencode.v2.event_parsing.event_parser import EventParser2
from opencode_mcp.opencode.vocabulary.backend_events import Event

Json = dict[str, Any]
SES = "ses_1"
PLACE = "/p"


def line(kind: str, data: object, *, number: int = 1, directory: str = PLACE) -> str:
    """An event as ``/api/event`` sends it; those about executions have no directory."""
    location = {"location": {"directory": directory}} if directory else {}
    return json.dumps({"id": f"evt_{number}", "created": 1000 + number, "type": kind, **location, "data": data})


class Stream:
    """A parser, and the number of the next event."""

    def __init__(self) -> None:
        self._parser = EventParser2()
        self._number = 0

    def send(self, kind: str, *, session: str = SES, directory: str = PLACE, **data: Any) -> list[Event]:  # noqa: ANN401 - JSON
        """Parse the next event of a session."""
        self._number += 1
        return self._parser.parse(line(kind, {"sessionID": session, **data}, number=self._number, directory=directory))

    def prompt(self, prompt_id: str, message_id: str, *, session: str = SES) -> None:
        """Begin an execution that works on a prompt."""
        self.send("session.execution.started", session=session, directory="")
        self.send("session.inbox.delivered", session=session, inboxID=prompt_id)
        self.step(message_id, session=session)

    def step(self, message_id: str, *, session: str = SES) -> list[Event]:
        """Begin a step of the model."""
        model = {"id": "m1", "providerID": "scripted", "variant": "high"}
        fields: Json = {"assistantMessageID": message_id, "agent": "build", "model": model, "started": 900}
        return self.send("session.step.started", session=session, **fields)

    def step_end(self, message_id: str, finish: str, **more: Any) -> list[Event]:  # noqa: ANN401 - JSON
        """End a step of the model."""
        tokens = {"input": 100, "output": 20, "reasoning": 1, "cache": {"read": 0, "write": 0}}
        fields: Json = {"assistantMessageID": message_id, "finish": finish, "cost": 0.5, "tokens": tokens}
        return self.send("session.step.ended", **fields, **more)

"""Facts of OpenCode 2's event stream that later events refer to without repeating them. Pure; every store is bounded.

An event about an execution contains neither the directory nor the prompt, and an event about a tool call, apart from
the first, not the name of the tool.
"""

from dataclasses import dataclass, field

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.vocabulary.backend_events import Event, MessageChanged
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.text.json_types import JsonMap

CALLS_KEPT = 100
"""Tool calls of a session that have not ended."""
INPUTS_KEPT = 100
"""Entries of a session's inbox that are no prompts."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Tool call that has not ended."""

    message_id: str
    name: str
    """Empty if the event that contains it was missed."""
    input: JsonMap = field(default_factory=dict[str, object])


@dataclass(slots=True)
class SessionMemory:
    """Facts of one session."""

    directory: str = ""
    parent_id: str = ""
    prompt: str = ""
    """Id of the message that started the work; empty between two executions."""
    step: dict[str, object] = field(default_factory=dict[str, object])
    """The latest step of the model, in the form of OpenCode 2's assistant message; empty between two executions."""
    is_retrying: bool = False
    calls: BoundedDict[str, OpenCall] = field(default_factory=lambda: BoundedDict[str, OpenCall](CALLS_KEPT))
    other_inputs: BoundedDict[str, bool] = field(default_factory=lambda: BoundedDict[str, bool](INPUTS_KEPT))
    """Ids in the inbox that are no prompts: texts of OpenCode's own, compactions, moves."""

    def forget_work(self) -> None:
        """Forget the execution: it has ended, or events of it may be missing."""
        self.prompt, self.step, self.is_retrying = "", {}, False


@dataclass(frozen=True, slots=True)
class Received:
    """Event of a session, as OpenCode 2 sent it."""

    session_id: str
    session: SessionMemory
    event_id: str
    created: float
    """Milliseconds since the epoch."""
    data: JsonMap

    @property
    def message_id(self) -> str:
        """Return the id of the message that the event itself becomes, as some do."""
        return self.event_id.replace("evt_", "msg_", 1)

    def user_message(self, message_id: str) -> list[Event]:
        """Return the event that a message with the role of the user was added; nothing without an id."""
        if not message_id:
            return []
        time = {"created": self.created}
        info = MessageInfo.read({"id": message_id, "sessionID": self.session_id, "role": "user", "time": time})
        return [MessageChanged(self.session_id, info)]

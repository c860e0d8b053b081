"""Present work of one session: its open tool calls, and what its model is writing. Pure.

Times are those at which the events arrived, in seconds of the caller's clock.
"""

from dataclasses import dataclass, field, replace

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.call_subject import call_subject
from opencode_mcp.opencode.vocabulary.wire.parts import ENDED_CALLS
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map
from opencode_mcp.text.outside_text import shorten

CALLS_KEPT = 50
SUBJECT_LIMIT = 300
WRITTEN = frozenset({"text", "reasoning"})
"""Types of the parts that a model writes."""


@dataclass(frozen=True, slots=True)
class RunningCall:
    """Tool call that has not ended."""

    tool: str
    subject: str
    """Argument that says best what it works on, on one line; empty while the model writes the arguments."""
    began: float
    is_running: bool
    """False while the model writes the arguments."""
    child_session: str = ""
    """Session of the subagent that it started."""


@dataclass(slots=True)
class PresentWork:
    """Work of a session at this moment."""

    calls: BoundedDict[str, RunningCall] = field(default_factory=lambda: BoundedDict[str, RunningCall](CALLS_KEPT))
    """Open calls by the ids of their parts."""
    writes: str = ""
    """Type of the part that the model is writing: ``text``, ``reasoning``, or empty."""
    last_output: float = 0
    """Time of the last output of the model or a tool, or of the prompt; 0 if none was seen."""

    def fold(self, event: backend_events.Event, now: float) -> None:
        """Update the work with one event of the session."""
        match event:
            case backend_events.PartChanged(part=part):
                self.last_output = now
                self._fold_part(part, event.child_session, now)
            case backend_events.PartGrew():
                self.last_output = now
            case backend_events.MessageChanged(message=message) if message.role == "user":
                self.last_output = self.last_output or now
            case backend_events.Idle() | backend_events.Failed():
                self.calls.clear()
                self.writes, self.last_output = "", 0
            case _:
                pass

    def _fold_part(self, part: JsonMap, child_session: str, now: float) -> None:
        kind = str(part.get("type"))
        self.writes = kind if kind in WRITTEN and not _is_whole(part) else ""
        if kind == "tool":
            self._fold_call(part, child_session, now)

    def _fold_call(self, part: JsonMap, child_session: str, now: float) -> None:
        part_id, state = str(part.get("id")), as_map(part.get("state"))
        status = str(state.get("status"))
        if status in ENDED_CALLS:
            self.calls.pop(part_id, None)
            return
        before = self.calls.get(part_id)
        arguments = as_map(state.get("input"))
        call = RunningCall(
            tool=str(part.get("tool")),
            subject=shorten(call_subject(arguments), SUBJECT_LIMIT),
            began=now,
            is_running=status != "pending",
            child_session=child_session,
        )
        if before and before.is_running == call.is_running:
            call = replace(call, began=before.began)
        self.calls[part_id] = call


def _is_whole(part: JsonMap) -> bool:
    """Return True if a text is complete: it has an end, or, if it has no times, it has content."""
    times = as_map(part.get("time"))
    return bool(times.get("end")) if times else bool(part.get("text"))

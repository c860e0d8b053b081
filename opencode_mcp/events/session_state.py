"""What the event stream has said of one session, folded into a small state.

Pure. It is a cache: after a gap it starts empty, and whoever decides something reads the truth by GET.
"""

from collections import deque
from dataclasses import dataclass, field, replace

from opencode_mcp.events import wire
from opencode_mcp.opencode.models import Failure, MessageInfo, SessionStatus, Todo

PROMPTS_KEPT = 8
DRAFT_KEPT = 32_000
"""Characters of a text that are kept while it is written: a report shows fewer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text as far as the stream told: OpenCode has it on record only when it is whole."""

    message_id: str
    part_id: str
    """Empty where something was missed, so that nothing more can be added."""
    text: str
    """Its first ``DRAFT_KEPT`` characters."""
    beyond: int = 0
    """How many characters of it are not kept."""

    @property
    def length(self) -> int:
        """The characters that were written."""
        return len(self.text) + self.beyond

    def grown(self, more: str) -> "Draft":
        """The text with something added; what is full is not copied."""
        kept = more[: max(DRAFT_KEPT - len(self.text), 0)]
        text = self.text + kept if kept else self.text
        return replace(self, text=text, beyond=self.beyond + len(more) - len(kept))


def drafted(draft: Draft | None, event: wire.Event) -> Draft | None:
    """The text that is being written in a session, after one of its events."""
    match event:
        case wire.PartChanged(part=part) if part.get("type") == "text":
            return Draft(str(part.get("messageID")), str(part.get("id")), "").grown(str(part.get("text") or ""))
        case wire.PartGrew(part_id=part_id, field="text", delta=delta) if draft and part_id == draft.part_id:
            return draft.grown(delta)
        case wire.Gap() if draft:
            return replace(draft, part_id="")
        case _:
            return draft


@dataclass(slots=True)
class SessionState:
    """The folded state of one session."""

    status: SessionStatus | None = None
    error: Failure | None = None
    """The first error since the last prompt: OpenCode sends a readable one, then one with a stack trace."""
    todos: list[Todo] = field(default_factory=list[Todo])
    latest_message: str = ""
    prompts: deque[str] = field(default_factory=lambda: deque[str](maxlen=PROMPTS_KEPT))
    """The latest messages in a person's name, oldest first."""
    draft: Draft | None = None
    """The text that is being written, or was last; ``None`` while the session is idle."""
    working_on: str = ""
    """The prompt that OpenCode was last seen to take; empty once the stream told of an end, or missed something."""
    title: str = ""
    children: list[str] = field(default_factory=list[str])
    """The sessions of its subagents."""
    complete: bool = False
    """Whether nothing was missed since the session was created, so that its title, todos and children are current."""

    def forget(self) -> None:
        """Drop what a gap may have made untrue; an error that was told stays told."""
        self.status = self.draft = None
        self.working_on, self.complete = "", False


def _note_message(state: SessionState, message: MessageInfo) -> None:
    state.latest_message = max(state.latest_message, message.id)
    if message.role == "user" and message.id not in state.prompts:
        state.prompts.append(message.id)
        state.working_on = message.id


def fold(state: SessionState, event: wire.Event) -> None:
    """Bring the state up to date with one event of its session."""
    state.draft = None if isinstance(event, wire.Idle) else drafted(state.draft, event)
    match event:
        case wire.StatusChanged(status=status):
            state.status = status if status.type != "idle" else None
        case wire.Failed(error=error):
            state.error = state.error or error
            state.working_on = ""
        case wire.Idle():
            state.working_on = ""
        case wire.SessionChanged(session=session):
            state.title = session.title
        case wire.TodosChanged(todos=todos):
            state.todos = todos
        case wire.MessageChanged(message=message):
            _note_message(state, message)
        case _:
            pass

"""State of one session, folded from the event stream.

Design. Some facts are only in the events (the text that is being written), and others would cost a request each time a
progress line is made (status, todos, title). ``fold`` keeps both per session, so that progress costs no requests. The
state is a cache with two rules:

- After a gap it keeps only what a missed event cannot have made wrong; see ``forget``. The status becomes unknown, not
  idle, and the draft is frozen: text can no longer be appended to it without a hole.
- No decision depends on it alone. A caller that acts (ends a run, answers a request) reads the session by GET first.

``complete`` is the exception that saves requests: it is True from the session's creation until the first gap, and as
long as it is True, title, todos and children are known to be current. It is never restored, because a later event
cannot show that no earlier one is missing.

``error`` keeps the first error since the last prompt: OpenCode sends a readable one first and one with a stack trace
afterwards, and both belong to the same failure. ``working_on`` names the prompt that OpenCode took last; it becomes
empty at the end of the run and at a gap, because then OpenCode may work on another one.

Rejected alternatives:

- To store the events and fold them on demand: a long run sends thousands of deltas, of which the state keeps one text.
- To store whole messages: OpenCode has them, and their size has no limit.
- To keep the status over a gap: a run that ended during the gap would look busy until the next event, which never
  comes.

``sole_prompt`` names the latest prompt if it is known that no other one shares its answers: the prompt before it had
its last answer when it came, and none has come since.

``work`` holds what the session does at this moment: its open tool calls, what the model is writing, and when it last
wrote something. It is exact while ``working_on`` names a prompt, because then no event since that prompt was missed.

Invariants: pure, no clock and no I/O (the caller gives the time); bounded (a draft keeps 32,000 characters and counts
the rest, eight prompts and fifty open calls are remembered); folding an event costs time proportional to that event,
never to the text so far.
"""

from collections import deque
from dataclasses import dataclass, field, replace

from opencode_mcp.events.present_work import PresentWork
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure

PROMPTS_KEPT = 8
DRAFT_CHARACTERS = 32_000
"""Longest draft that is kept, in characters: a report shows fewer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Text that is being written. OpenCode stores it only when it is complete."""

    message_id: str
    part_id: str
    """Empty if an event was missed, so that nothing can be appended."""
    text: str
    """Its first ``DRAFT_CHARACTERS`` characters."""
    beyond: int = 0
    """Number of further characters, which are not kept."""

    @property
    def length(self) -> int:
        """Return the number of characters that were written."""
        return len(self.text) + self.beyond

    def grown(self, more: str) -> "Draft":
        """Return the draft with more text; a full draft's text is not copied."""
        kept = more[: max(DRAFT_CHARACTERS - len(self.text), 0)]
        text = self.text + kept if kept else self.text
        return replace(self, text=text, beyond=self.beyond + len(more) - len(kept))


def drafted(draft: Draft | None, event: backend_events.Event) -> Draft | None:
    """Return the text that is being written in a session, after one of its events."""
    match event:
        case backend_events.PartChanged(part=part) if part.get("type") == "text":
            return Draft(str(part.get("messageID")), str(part.get("id")), "").grown(str(part.get("text") or ""))
        case backend_events.PartGrew(part_id=part_id, field="text", delta=delta) if draft and part_id == draft.part_id:
            return draft.grown(delta)
        case backend_events.Gap() if draft:
            return replace(draft, part_id="")
        case _:
            return draft


@dataclass(slots=True)
class SessionState:
    """State of one session."""

    status: SessionStatus | None = None
    error: Failure | None = None
    """The first error since the last prompt: OpenCode sends a readable one, then one with a stack trace."""
    todos: list[Todo] = field(default_factory=list[Todo])
    prompts: deque[str] = field(default_factory=lambda: deque[str](maxlen=PROMPTS_KEPT))
    """The latest user messages, oldest first; an answer names one whose own event was lost."""
    draft: Draft | None = None
    """The text that is being written, or was last; ``None`` while the session is idle."""
    working_on: str = ""
    """The prompt that OpenCode took last; empty after the end of its run, and after a gap."""
    answered: str = ""
    """The prompt whose last answer was completed last; empty after a gap."""
    sole_prompt: str = ""
    """The latest prompt, if no other one shares its answers; empty if one does, or may do so."""
    title: str = ""
    children: list[str] = field(default_factory=list[str])
    """The sessions of its subagents."""
    ended: float = 0
    """Time at which its work ended last, in seconds of the caller's clock; 0 if no end was seen."""
    complete: bool = False
    """True if no event was missed since the session was created; then title, todos and children are current."""
    work: PresentWork = field(default_factory=PresentWork)
    """Work at this moment; exact while ``working_on`` is not empty."""

    def has_begun(self, prompt: str, since: float) -> bool:
        """Return True if OpenCode works on a prompt, or has done so since a time of the caller's clock.

        OpenCode 1 shows the message of a prompt some milliseconds before its session is busy.
        """
        return prompt in self.prompts and (self.status is not None or self.ended > since)

    def forget(self) -> None:
        """Drop everything that a gap may have made wrong; a reported error stays."""
        self.status = self.draft = None
        self.working_on, self.complete = "", False
        self.answered = self.sole_prompt = ""
        self.work = PresentWork()


def _note_message(state: SessionState, message: MessageInfo) -> None:
    prompt = message.id if message.role == "user" else message.parent_id
    if prompt and prompt not in state.prompts:
        _note_prompt(state, prompt, is_seen=message.role == "user")
    if message.role != "user" and _is_last_answer(message):
        state.answered = message.parent_id


def _note_prompt(state: SessionState, prompt: str, *, is_seen: bool) -> None:
    """Note a new prompt, of which only an answer may have been seen."""
    is_alone = state.answered == state.prompts[-1] if state.prompts else state.complete
    state.sole_prompt = prompt if is_seen and is_alone else ""
    state.prompts.append(prompt)
    if is_seen:
        state.working_on = prompt


def _is_last_answer(message: MessageInfo) -> bool:
    """Return True for a complete answer after which the model does not go on."""
    return message.time.completed is not None and message.has_last_step


def _note_progress(
    state: SessionState, event: backend_events.StatusChanged | backend_events.Failed | backend_events.Idle, now: float
) -> None:
    if isinstance(event, backend_events.StatusChanged):
        state.status = event.status if event.status.type != "idle" else None
        return
    state.working_on, state.ended = "", now
    if isinstance(event, backend_events.Failed):
        state.error = state.error or event.error


def fold(state: SessionState, event: backend_events.Event, now: float = 0) -> None:
    """Update the state with one event of its session.

    Args:
        state: The state.
        event: The event.
        now: Time of its arrival, in seconds of any clock.
    """
    state.work.fold(event, now)
    state.draft = None if isinstance(event, backend_events.Idle) else drafted(state.draft, event)
    match event:
        case backend_events.StatusChanged() | backend_events.Failed() | backend_events.Idle():
            _note_progress(state, event, now)
        case backend_events.SessionChanged(session=session) if session.title:
            state.title = session.title
        case backend_events.TodosChanged(todos=todos):
            state.todos = todos
        case backend_events.MessageChanged(message=message):
            _note_message(state, message)
        case _:
            pass

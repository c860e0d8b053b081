"""States of a run, and the rules that decide which one a run is in.

OpenCode has no state machine for a prompt that could be read. It has a map of busy sessions (``session.status``), the
messages of a session, lists of open requests, and events. This module turns one reading of them into one of nine
states. It is pure: no clock, no network, no MCP. The follower (``runs/following/follow.py``) does the reading.

A run is read into an ``Evidence``. ``classify`` says which state that evidence shows, without knowing the past.
``advance`` then applies ``TRANSITIONS``: a state that may follow the present one replaces it, any other is ignored.
These two functions and the table are the only place where a run's state is decided. The diagram in ARCHITECTURE.md is
drawn from the table.

The order of the tests in ``classify`` is the order of trust, from what was never seen to be wrong to what may be stale:

1. The map of busy sessions. A session in it is not finished, whatever the messages or the events say. A session that
   is not in it is idle, whatever the events say.
2. The last answer. A message with an end time or an error is final. OpenCode writes no error where a run is aborted
   while it waits to ask the model again; the message is then empty and names no reason for its end. A complete step
   whose calls of tools the model has not seen is not final: OpenCode was ended before it asked the model again.
3. A ``session.error`` event since the prompt. It is the only trace of a prompt that failed before its first answer.
4. The inbox, and the session's beginning. A prompt that is in the inbox, while the session is idle, was stopped before
   it began (OpenCode 2). A prompt or an incomplete answer that is older than its session was copied by a fork, which
   never completes it. An answer that began when its subagent was stopped, and was stopped then itself, stays empty.
5. Time. A run that failed can be idle with an unfinished answer for seconds, on a busy machine for more than three. A
   run whose OpenCode was killed, in a step or between two, stays so permanently. Ten seconds separate the two.

Invariants:

* An end is never left: ``ENDS`` have no next state. Two waiters that saw the end report the same.
* Idle proves nothing before the run was busy once: the session may be idle from the run before. So SUBMITTED cannot
  become SETTLING.
* Whatever a later OpenCode calls the status of a session in the map, the session is busy.

Rejected:

* Events as the transitions. They are lost now and then, come late after an abort, and are not repeated after a
  reconnect, so a run that depends on one would hang.
* Signals between evidence and state. Each signal led to exactly one state, so the signals were a second set of names.
* ``finish`` alone as the mark of the end. Structured output and rejected permissions end with ``tool-calls``, as any
  step in the middle of a run does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.opencode.vocabulary.wire.shared_values import ABORTED_ERROR, Failure

IDLE_LIMIT_SECONDS = 10.0
"""Time for which a run without an end can be idle before it counts as lost."""


class State(StrEnum):
    """State of a run."""

    SUBMITTED = "submitted"
    """The prompt was sent; OpenCode has not shown that it works on it."""
    RUNNING = "running"
    """OpenCode works on it."""
    RETRYING = "retrying"
    """The model failed; OpenCode waits before it asks again."""
    WAITING = "waiting"
    """A permission or a question waits for an answer."""
    SETTLING = "settling"
    """The session is idle, and the last answer is not complete yet."""
    COMPLETED = "completed"
    """The last answer is complete."""
    FAILED = "failed"
    """It ended with an error, or never began."""
    ABORTED = "aborted"
    """Somebody stopped it."""
    LOST = "lost"
    """OpenCode went away, or came back without it."""


ENDS = frozenset({State.COMPLETED, State.FAILED, State.ABORTED, State.LOST})

IDLE_WITHOUT_END = frozenset({State.SUBMITTED, State.SETTLING})
"""States of a run that OpenCode was not seen at work on, or is not at work on any more, and that has no end yet."""
_SEEN_BUSY = frozenset({State.RUNNING, State.RETRYING, State.WAITING, State.SETTLING, *ENDS})
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.SUBMITTED: _SEEN_BUSY - {State.SETTLING},
    State.RUNNING: _SEEN_BUSY,
    State.RETRYING: _SEEN_BUSY,
    State.WAITING: _SEEN_BUSY,
    State.SETTLING: _SEEN_BUSY,
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.ABORTED: frozenset(),
    State.LOST: frozenset(),
}
"""The states that may follow each state."""


def advance(state: State, seen: State) -> State:
    """Return the state of a run after it was seen in another one; a state that may not follow changes nothing."""
    return seen if seen in TRANSITIONS[state] else state


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reading of a run."""

    status: SessionStatus | None = None
    """The session's entry in ``session.status``; ``None``: idle."""
    asked: bool = False
    """True if a permission or a question of the session or a subagent is open."""
    answers: Sequence[MessageInfo] = ()
    """The assistant's messages after the prompt, oldest first, when idle."""
    empty: bool = False
    """True if the last of them has no content and names no reason for its end."""
    cut_short: bool = False
    """True if the last of them is a step that another one must follow (``run_record.is_cut_short``)."""
    error: Failure | None = None
    """The ``session.error`` that came since the prompt."""
    stopped: bool = False
    """True if the last of them was stopped as it began (``run_record.was_stopped_between``)."""
    never_started: bool = False
    """True if the session is idle and has the prompt in its inbox."""
    copied: bool = False
    """True if a fork copied the prompt before its answer was complete."""
    idle_seconds: float = 0.0
    """Time that the session has been idle without a complete answer."""


def classify(evidence: Evidence) -> State:
    """Return the state that a reading shows; see the order above."""
    if evidence.status is not None:
        return _busy_state(evidence.status, asked=evidence.asked)
    if _has_last_answer(evidence):
        return _answered_state(evidence.answers[-1].error, empty=evidence.empty)
    if evidence.error is not None:
        return _end_state(evidence.error)
    if evidence.never_started or evidence.copied or evidence.stopped:
        return State.ABORTED
    return State.LOST if evidence.idle_seconds > IDLE_LIMIT_SECONDS else State.SETTLING


def _busy_state(status: SessionStatus, *, asked: bool) -> State:
    if asked:
        return State.WAITING
    return State.RETRYING if status.type == "retry" else State.RUNNING


def _has_last_answer(evidence: Evidence) -> bool:
    """Return True if the last answer is complete, and no step must follow it."""
    return bool(evidence.answers) and evidence.answers[-1].is_complete and not evidence.cut_short


def _answered_state(error: Failure | None, *, empty: bool) -> State:
    """Return the end that the last answer shows; an empty one without an error is all that some aborts leave."""
    return State.ABORTED if empty and error is None else _end_state(error)


def _end_state(error: Failure | None) -> State:
    if error is None:
        return State.COMPLETED
    return State.ABORTED if error.name == ABORTED_ERROR else State.FAILED

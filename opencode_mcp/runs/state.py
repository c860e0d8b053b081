"""The states of a run and what moves it from one to another.

Two rules hold here. Everything that decides a run's state is in this module, as a table and one pure function over what
was seen; and this module sees nothing itself: no clock, no network, no MCP.

Theory of operation: OpenCode's events are only hints, the map of busy sessions is the truth (``session.status``). So a
run is looked at (``Evidence``), the look is judged (``judge``) to a ``Signal``, and the signal moves the state
(``TRANSITIONS``). An ending state is never left: a run that was judged finished stays so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opencode_mcp.opencode.models import Failure, MessageInfo, SessionStatus

ABORTED_ERROR = "MessageAbortedError"
# A failed run was still incomplete 3 s after its session went idle when 72 ran at once; a killed one stays so for ever.
QUIET_LIMIT = 10.0


class State(StrEnum):
    """Where a run is."""

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


class Signal(StrEnum):
    """What a look at a run showed."""

    BUSY = "busy"
    RETRY = "retry"
    ASKED = "asked"
    IDLE = "idle"
    FINISHED = "finished"
    ERRORED = "errored"
    STOPPED = "stopped"
    VANISHED = "vanished"


ENDS = frozenset({State.COMPLETED, State.FAILED, State.ABORTED, State.LOST})

_FROM_ANY: Mapping[Signal, State] = {
    Signal.BUSY: State.RUNNING,
    Signal.RETRY: State.RETRYING,
    Signal.ASKED: State.WAITING,
    Signal.IDLE: State.SETTLING,
    Signal.FINISHED: State.COMPLETED,
    Signal.ERRORED: State.FAILED,
    Signal.STOPPED: State.ABORTED,
    Signal.VANISHED: State.LOST,
}
TRANSITIONS: Mapping[State, Mapping[Signal, State]] = {
    # Idle before it was ever busy proves nothing: the idle may be that of the run before.
    State.SUBMITTED: {**_FROM_ANY, Signal.IDLE: State.SUBMITTED},
    State.RUNNING: _FROM_ANY,
    State.RETRYING: _FROM_ANY,
    State.WAITING: _FROM_ANY,
    State.SETTLING: _FROM_ANY,
    **{end: {} for end in ENDS},
}


def advance(state: State, signal: Signal) -> State:
    """The state after a signal; an ending state stays."""
    return TRANSITIONS[state].get(signal, state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One look at a run."""

    status: SessionStatus | None = None
    """The session's entry in ``session.status``; ``None``: idle."""
    asked: bool = False
    """Whether a permission or a question of the session or a subagent is open."""
    answers: Sequence[MessageInfo] = ()
    """The assistant's messages after the prompt, oldest first, when idle."""
    empty: bool = False
    """Whether the last of them says nothing and names no reason for its end."""
    error: Failure | None = None
    """The ``session.error`` that was told since the prompt."""
    quiet: float = 0.0
    """Seconds that the session has been idle without a complete answer."""


def judge(evidence: Evidence) -> Signal:
    """Decide what a look at a run shows."""
    if evidence.status is not None:
        return _judge_busy(evidence.status, asked=evidence.asked)
    last = evidence.answers[-1] if evidence.answers else None
    if last is not None and (last.time.completed is not None or last.error is not None):
        # An abort while OpenCode waits to ask the model again leaves no other trace.
        return Signal.STOPPED if evidence.empty and last.error is None else _judge_end(last.error)
    if evidence.error is not None:
        return _judge_end(evidence.error)
    return Signal.VANISHED if evidence.quiet > QUIET_LIMIT else Signal.IDLE


def _judge_busy(status: SessionStatus, *, asked: bool) -> Signal:
    if asked:
        return Signal.ASKED
    return Signal.RETRY if status.type == "retry" else Signal.BUSY


def _judge_end(error: Failure | None) -> Signal:
    if error is None:
        return Signal.FINISHED
    return Signal.STOPPED if error.name == ABORTED_ERROR else Signal.ERRORED

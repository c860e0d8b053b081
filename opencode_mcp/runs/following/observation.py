"""Observation of a run: its state as a follower saw it last, with everything that its report takes from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.run_record import Run, SessionRecord


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """Answer of a completed run by a schema that was part of its prompt."""

    value: Any = None
    problem: str = ""
    """Reason why it does not fit the schema; empty if it fits."""
    is_whole_text: bool = False
    """True if the text of the answer says nothing else."""


@dataclass(slots=True)
class Observation:
    """State of a run as its follower saw it last, with everything that the report takes from it."""

    client: OpenCodeClient
    """Bound to the server that the run was seen on."""
    state: State = State.SUBMITTED
    answers: list[Message] = field(default_factory=list[Message])
    """The last messages of the assistant, oldest first; read when the session is idle."""
    is_whole: bool = False
    """True if these are all of its messages since the prompt."""
    is_never_started: bool = False
    """True if the session is idle, and has the prompt in its inbox: it was never begun."""
    is_withdrawn: bool = False
    """True if such a prompt was taken out of the inbox again, so that the session's next prompt does not begin it."""
    is_idle: bool = False
    """True if OpenCode did not work on the run when it was read last, whether or not its end is on record."""
    waits_behind: str | None = None
    """The prompt that OpenCode works on while the run's waits in the inbox, empty if it is not known; ``None`` if the
    run's prompt does not wait there."""
    is_copied: bool = False
    """True if a fork copied the prompt before its answer was complete: it goes on elsewhere, or ended there."""
    pending: list[PendingRequest] = field(default_factory=list[PendingRequest])
    """The requests that nobody has answered."""
    session_forms: list[str] = field(default_factory=list[str])
    """Ids of the open forms of clients in the session, for which the run does not wait."""
    status: SessionStatus | None = None
    """The session's status when it was seen busy last."""
    text: str = ""
    """Text that the model has written of its current answer, as far as the stream delivered it."""
    gone: str = ""
    """Reason why OpenCode is gone; empty while it is there."""
    is_removed: bool = False
    """True if OpenCode has removed the prompt: it was undone, and a later prompt made that final."""
    is_session_deleted: bool = False
    """True if the session was deleted, and the run with it."""
    is_still_at_work: bool = False
    """True if OpenCode still worked in the deleted session, as OpenCode 1 does if it was not stopped before."""
    session: SessionRecord | None = None
    """The session's part of the report, where it was read ahead."""
    correction: Run | None = None
    """The run of the prompt that asked for a corrected answer, if that was seen; see ``schema_corrections.py``."""
    checked: CheckedAnswer | None = None
    """The answer, if it was checked because its schema was part of the prompt."""
    prompts: list[str] = field(default_factory=list[str])
    """Ids of the prompts of a run with a verification, oldest first; the observation is that of the last one."""
    verifying: str = ""
    """Line on the verification that a completed run waits for; its state is then that of a running one."""


ObservePrompt = Callable[[Run], Awaitable[Observation]]
"""Follows one prompt of a run to its end, or until the wait ends."""

"""Progress of the verifications of runs, by which the calls that wait for a run know whether it has ended.

A run that is to be verified has ended when its verification has a result, and no failure is being repaired. The repair
is a further prompt in the session and belongs to the same run.
"""

from dataclasses import dataclass, field, replace

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord
from opencode_mcp.text.outside_text import shorten

VERIFICATIONS_KEPT = 1000
LINE_CHARACTERS = 100
"""Characters of a command in a line of progress."""


@dataclass(slots=True)
class Verification:
    """Verification of one run, as far as this bridge knows."""

    session_id: str
    record: VerificationRecord
    has_task: bool = False
    """True if a task of this bridge takes care of it."""
    began: float | None = None
    """Start of the command that runs now, in seconds of anyio's clock."""
    command: anyio.CancelScope | None = None
    """Scope of the command that this bridge runs now."""
    stop_reason: str = ""
    """Reason why it was stopped; empty if it was not."""
    changed: anyio.Event = field(default_factory=anyio.Event)
    """Set, and replaced, at each change."""

    @property
    def is_pending(self) -> bool:
        """Return True if a task of this bridge will bring a result."""
        return self.has_task and not self.record.is_over

    def update(self, record: VerificationRecord) -> None:
        """Take what is known by now, and wake the tasks that wait for it."""
        self.record = record
        self.notify()

    def notify(self) -> None:
        """Wake the tasks that wait for a change."""
        self.changed.set()
        self.changed = anyio.Event()

    def end(self) -> None:
        """Make the present result final."""
        self.update(replace(self.record, is_over=True))

    @property
    def activity(self) -> str:
        """Return the line on what is done at this moment."""
        line = shorten(self.record.request.line, LINE_CHARACTERS)
        if self.began is None:
            return f"about to verify: {line}"
        return f"verifying: {line} ({anyio.current_time() - self.began:.0f} s)"

    def stop(self, reason: str) -> bool:
        """Stop it, and return True if its command runs."""
        if not self.is_pending:
            return False
        self.stop_reason = reason
        if self.command is None:
            return False
        self.command.cancel()
        return True


class Verifications:
    """Verifications by the id of the run's prompt."""

    def __init__(self) -> None:
        self._known = BoundedDict[str, Verification](VERIFICATIONS_KEPT)

    def track(self, session_id: str, message_id: str, record: VerificationRecord | None) -> Verification | None:
        """Track the verification of a run as it is on record, and return it; ``None`` if it has none.

        Args:
            session_id: Session of the run.
            message_id: Id of the run's prompt.
            record: Verification on record.
        """
        known = self._known.get(message_id)
        if record is None:
            return known
        if known is None:
            known = self._known[message_id] = Verification(session_id, record)
        elif record.is_over and not known.has_task:
            known.update(record)
        return known

    def running_in(self, session_id: str) -> Verification | None:
        """Return the verification whose command this bridge runs in the directory of a session at this moment."""
        running = (one for one in self._known.values() if one.session_id == session_id and one.command)
        return next(running, None)

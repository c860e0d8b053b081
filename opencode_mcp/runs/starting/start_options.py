"""Options of a start that prompts and slash commands have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from opencode_mcp.options import Decider
from opencode_mcp.runs.limits import NO_LIMITS, Limits
from opencode_mcp.runs.run_record import Run, RunStarter
from opencode_mcp.runs.starting.start_deadline import StartDeadline

BeforeSend = Callable[[Run], Awaitable[None] | None]
"""Gets a run before OpenCode does, and so before it can ask anything.

If what it returns raises an error, nothing is sent, and a session that was created for the run is deleted.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """Options of one start: the starter of the run, its limits, and the time that the start may take."""

    caller_limit: Decider = "allow"
    """Least strictness with which the caller wants permissions to be answered."""
    starter: RunStarter = "agent"
    """Starter of the run, behind the host."""
    limits: Limits = NO_LIMITS
    """Limits of the run, which its note keeps; ``enforcement/`` stops a run at them."""
    before_send: BeforeSend | None = None
    deadline: StartDeadline = field(default_factory=StartDeadline)
    """Lifted when the run is sent."""

    async def announce(self, run: Run) -> None:
        """Pass a run on before OpenCode gets it."""
        if self.before_send and (admission := self.before_send(run)):
            await admission

"""Supervision of runs by this bridge, also while no call waits: their limits, their verification, their permissions."""

from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed
from opencode_mcp.runs import limits
from opencode_mcp.server.access.operations_of_tools import STOP

if TYPE_CHECKING:
    from opencode_mcp.runs.answers.auto_reply import AutoReply
    from opencode_mcp.runs.enforcement.limit_watch import LimitWatch
    from opencode_mcp.runs.enforcement.verifier import Verifier
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.settings import Settings

NO_LIMITS_WITHOUT_STOP = (
    "A run cannot have limits here: this MCP server may not stop runs, since its settings deny the operation for that."
)
LIMITS_OR_STOP = (
    "Leave max_cost, max_minutes and max_steps out. If the settings set them for all runs, only the person can help: "
    "the settings must not set limits and deny the operation that stops a run."
)


class Supervision:
    """Supervision as far as the operator allows it to this bridge.

    Args:
        settings: The operator's settings.
        allowed: The operations that may be called, such as the one that stops a run.
        auto_reply: Answers permissions by the operator's policy.
        limit_watch: Stops runs at their limits.
        verifier: Verifies the work of runs.
    """

    def __init__(
        self,
        settings: "Settings",
        allowed: "AllowedOperations",
        auto_reply: "AutoReply",
        limit_watch: "LimitWatch",
        verifier: "Verifier",
    ) -> None:
        self._settings = settings
        self._allowed = allowed
        self._auto_reply = auto_reply
        self._verifier = verifier
        self.limit_watch = limit_watch
        """Stops runs at their limits."""

    @property
    def may_stop(self) -> bool:
        """Return True if the operator lets this bridge stop runs."""
        return not self._settings.read_only and not self._allowed.denies(STOP)

    def limits_for(self, wanted: "limits.Limits") -> "limits.Limits":
        """Return the limits of a run for which a caller wants some.

        Raises:
            NotAllowed: One is higher than the operator's cap, or this bridge may not stop a run.
        """
        settings = self._settings
        held = limits.Limits(settings.max_cost, settings.max_minutes, settings.max_steps).allowing(wanted)
        if held:
            self.check_limits_allowed()
        return held

    def check_limits_allowed(self) -> None:
        """Refuse limits if this bridge may not stop a run.

        Raises:
            NotAllowed: It may not.
        """
        if not self.may_stop:
            raise NotAllowed(NO_LIMITS_WITHOUT_STOP, hint=LIMITS_OR_STOP)

    def add(self, run: "Run", *, is_new: bool = False) -> None:
        """Watch the limits of a run and verify its work, if this bridge may do so.

        Args:
            run: The run.
            is_new: True if this bridge is starting it.
        """
        if self.may_stop:
            self.limit_watch.add(run)
        if self._is_verified_here(run):
            self._auto_reply.add(run)
            self._verifier.add(run, is_new=is_new)

    def add_new(self, run: "Run") -> None:
        """Answer the permissions of a run that this bridge is starting by the operator's policy, and supervise it."""
        self._auto_reply.add(run)
        self.add(run, is_new=True)

    async def stop_verification_elsewhere(self, run: "Run") -> bool:
        """Ask the bridge that verifies a run to stop that; return False if none does.

        Raises:
            BridgeError: The note of the run could not be read or written.
        """
        if not self._is_verified_here(run):
            return False
        self.add(run)
        return await self._verifier.stop_elsewhere(run)

    def _is_verified_here(self, run: "Run") -> bool:
        """Return True if a run has a verification that is not over, and its files are on this machine."""
        return run.verification is not None and not run.verification.is_over and not self._settings.remote

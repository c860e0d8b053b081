"""Reports of a run to no caller, across outages of OpenCode: the run is found again when OpenCode is back."""

import logging
import math
from typing import TYPE_CHECKING

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.launcher.outages import AWAY
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.server.new_runs import isolated_runs
from opencode_mcp.server.waiting.answerers import add_answerers

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

CLOSED_WITHIN_SECONDS = 600.0
WENT_AWAY = "OpenCode went away in the middle of the run."


class LastingReports:
    """Follows a run to its end.

    Args:
        bridge: The parts of the server.
        run: The run.
    """

    def __init__(self, bridge: "Bridge", run: "Run") -> None:
        self._bridge = bridge
        self._run = run
        self.lost: RunReport | None = None
        """Report of the run as it was known when OpenCode went away; ``None`` while OpenCode is there."""

    async def next(self) -> "RunReport":
        """Wait until the run ends or needs an answer that the policy does not give, and report it.

        Raises:
            NotFound: Its session was deleted.
            BridgeError: OpenCode was away for too long, or the run could not be read for a reason of its own.
        """
        return await self._bridge.outages.repeat(self._present)

    async def _present(self) -> "RunReport":
        """Wait for the next report.

        Raises:
            BackendError: OpenCode went away meanwhile, or could not be read.
        """
        seen = await self._bridge.runs_under_policy.observe(self._run, Deadline(math.inf))
        report = await self._bridge.runs_under_policy.report(self._run, seen, for_caller=False)
        add_answerers(self._bridge, self._run, report, None)
        if report.lost:
            self.lost = report
            raise BackendUnavailable(WENT_AWAY)
        self.lost = None
        await isolated_runs.add_place(self._bridge, self._run, report)
        return report

    async def wait_answered(self, report: "RunReport") -> None:
        """Wait until none of the requests in a report is open any more, or OpenCode is away."""
        try:
            for request in report.pending:
                while not await self._bridge.requests.wait_closed(request, self._run.directory, CLOSED_WITHIN_SECONDS):
                    pass
        except AWAY as error:
            # The report that follows finds out whether OpenCode is there, and still asks.
            logger.info("could not wait for the answers to %s: %s", self._run.session_id, error)

"""Command and address of the operator's that get the report of each run that ends or needs input.

They are for hosts that do not listen any more (``--on-finish``, ``--on-finish-url``). Each run that this bridge has
started has a task that follows it, whether or not a call waits. The command gets the same data as the result of
``opencode_wait``, on its stdin. Nothing of a run is among its arguments, no shell is involved, and its output is
discarded, so that stdout carries only MCP. ``finish_url.py`` sends the same data to the address.

If OpenCode goes away, the run is found again when it is back, and reported then. The tasks of batches are followed by
``server/batches/task_runs.py``, which passes their reports on: one that broke off goes on, so its end is not reported.
"""

import json
import logging
from subprocess import DEVNULL
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.launcher.outages import AWAY
from opencode_mcp.options import without_credentials
from opencode_mcp.processes.fed_program import run_fed
from opencode_mcp.server.finish import finish_url
from opencode_mcp.server.finish.reports_across_outages import LastingReports
from opencode_mcp.server.waiting.wait import report_result

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0
"""Time for the command; then it is ended."""
ENDING_SECONDS = 5.0
"""Time for a command that has begun when the bridge ends: hosts for one task end it as soon as they have the result."""


def report_to_command(bridge: "Bridge", run: "Run") -> None:
    """Have the command and the address, if there are any, get the reports of a run that was just started here."""
    if bridge.settings.on_finish or bridge.settings.on_finish_url:
        bridge.spawn(FinishCommand(bridge).follow, run)


class FinishCommand:
    """Passes the reports of one run to the command and to the address, one after the other.

    Args:
        bridge: The parts of the server.
    """

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge
        self._turn = anyio.Lock()
        """Keeps the reports in their order."""

    async def follow(self, run: "Run") -> None:
        """Follow a run to its end; pass on a report of that, and of each time at which it needs input."""
        reports = LastingReports(self._bridge, run)
        try:
            report = await reports.next()
            while report.status == "needs_input":
                await self._pass_on(report)
                await reports.wait_answered(report)
                report = await reports.next()
            await self._pass_on(report)
        except AWAY as error:
            logger.warning("OpenCode did not come back, so the end of %s is not known: %s", run.session_id, error)
            if reports.lost:
                await self._pass_on(reports.lost)
        except BridgeError as error:
            logger.warning("there are no more reports of %s for --on-finish: %s", run.session_id, error)

    def pass_on_later(self, report: "RunReport") -> None:
        """Pass a report on, if there is a command or an address, without a wait for them."""
        settings = self._bridge.settings
        if settings.on_finish or settings.on_finish_url:
            self._bridge.spawn(self._pass_on, report)

    async def _pass_on(self, report: "RunReport") -> None:
        settings = self._bridge.settings
        text = json.dumps(report_result(report).structured_content).encode()
        async with self._turn, anyio.create_task_group() as both:
            if settings.on_finish:
                both.start_soon(self._run, text)
            if settings.on_finish_url:
                both.start_soon(finish_url.deliver, settings.on_finish_url, settings.on_finish_key, text)

    async def _run(self, text: bytes) -> None:
        """Run the command with a report on its stdin; when the bridge ends meanwhile, it has a few seconds more."""
        scope = anyio.CancelScope(shield=True, deadline=anyio.current_time() + LONGEST_SECONDS)
        ended = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run_within, scope, text, ended)
            try:
                await ended.wait()
            finally:
                scope.deadline = min(scope.deadline, anyio.current_time() + ENDING_SECONDS)

    async def _run_within(self, scope: anyio.CancelScope, text: bytes, ended: anyio.Event) -> None:
        """Run the command in a scope that limits its time."""
        settings = self._bridge.settings
        try:
            with scope:
                environment = without_credentials(settings.environment)
                done = await run_fed(settings.on_finish, text, environment=environment, outputs=DEVNULL)
                if done.returncode:
                    logger.warning("the command of --on-finish ended with the exit code %d", done.returncode)
        except OSError as error:
            logger.warning("the command of --on-finish could not be run: %s", error.strerror)
        finally:
            ended.set()
        if scope.cancelled_caught:
            logger.warning("the command of --on-finish took too long and was ended")

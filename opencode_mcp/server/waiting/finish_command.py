"""Command and address of the operator's that get the report of each run that ends or needs input.

They are for hosts that do not listen any more (``--on-finish``, ``--on-finish-url``). Each run that this bridge has
started has a task that follows it, whether or not a call waits. The command gets the same data as the result of
``opencode_wait``, on its stdin. Nothing of a run is among its arguments, no shell is involved, and its output is
discarded, so that stdout carries only MCP. ``finish_url.py`` sends the same data to the address.
"""

import json
import logging
import math
from subprocess import DEVNULL
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.options import without_credentials
from opencode_mcp.processes.groups import FLAGS
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.server.waiting import finish_url
from opencode_mcp.server.waiting.answerers import add_answerers
from opencode_mcp.server.waiting.wait import report_result

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.report import RunReport
    from opencode_mcp.runs.record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0
"""Time for the command; then it is ended."""
CLOSED_WITHIN_SECONDS = 600.0


def report_to_command(bridge: "Bridge", run: "Run") -> None:
    """Have the command and the address, if there are any, get the reports of a run that was just started here."""
    if bridge.settings.on_finish or bridge.settings.on_finish_url:
        bridge.spawn(FinishCommand(bridge).follow, run)


class FinishCommand:
    """Follows a run, and passes its reports to the command and to the address.

    Args:
        bridge: The parts of the server.
    """

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge

    async def follow(self, run: "Run") -> None:
        """Follow a run to its end; pass on a report of that, and of each time at which it needs input."""
        try:
            report = await next_report(self._bridge, run)
            while report.status == "needs_input":
                await self._pass_on(report)
                await wait_answered(self._bridge, run, report)
                report = await next_report(self._bridge, run)
            await self._pass_on(report)
        except BridgeError as error:
            logger.warning("there are no more reports of %s for --on-finish: %s", run.session_id, error)

    async def _pass_on(self, report: "RunReport") -> None:
        settings = self._bridge.settings
        text = json.dumps(report_result(report).structured_content).encode()
        async with anyio.create_task_group() as both:
            if settings.on_finish:
                both.start_soon(self._run, text)
            if settings.on_finish_url:
                both.start_soon(finish_url.deliver, settings.on_finish_url, settings.on_finish_key, text)

    async def _run(self, text: bytes) -> None:
        """Run the command with a report on its stdin."""
        settings = self._bridge.settings
        try:
            with anyio.fail_after(LONGEST_SECONDS):
                done = await anyio.run_process(
                    settings.on_finish,
                    input=text,
                    stdout=DEVNULL,
                    stderr=DEVNULL,
                    check=False,
                    env=without_credentials(settings.environment),
                    creationflags=FLAGS,
                )
        except TimeoutError:
            logger.warning("the command of --on-finish took more than %.0f s and was ended", LONGEST_SECONDS)
        except OSError as error:
            logger.warning("the command of --on-finish could not be run: %s", error.strerror)
        else:
            if done.returncode:
                logger.warning("the command of --on-finish ended with the exit code %d", done.returncode)


async def next_report(bridge: "Bridge", run: "Run") -> "RunReport":
    """Wait until a run ends or needs an answer that the policy does not give, and report it to no caller.

    Raises:
        BackendError: OpenCode could not be read.
    """
    seen = await bridge.auto_reply.observe(run, Deadline(math.inf))
    report = await bridge.auto_reply.report(run, seen, for_caller=False)
    add_answerers(bridge, run, report, None)
    return report


async def wait_answered(bridge: "Bridge", run: "Run", report: "RunReport") -> None:
    """Wait until none of the requests in a report is open any more.

    Raises:
        BackendError: OpenCode could not be read.
    """
    for request in report.pending:
        while not await bridge.requests.wait_closed(request, run.directory, CLOSED_WITHIN_SECONDS):
            pass

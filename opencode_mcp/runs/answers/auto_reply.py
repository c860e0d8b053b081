"""Carries out the operator's policy on permissions: answers what it decides by itself, and leaves the rest to be asked.

It looks after the runs that this bridge started, whether or not somebody waits for them, and after any run that
somebody waits for. What it decided is kept for the run's report.
"""

import logging
import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import anyio

from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.events.wire import Gap, PermissionAsked
from opencode_mcp.opencode.models import Permission
from opencode_mcp.runs.answers.authority import POLICY, PermissionReply
from opencode_mcp.runs.answers.gate import Answers
from opencode_mcp.runs.follow import Tell
from opencode_mcp.runs.record import Run
from opencode_mcp.runs.report import Decision, PendingRequest, RunReport
from opencode_mcp.runs.requests.open_requests import Requests, describe
from opencode_mcp.runs.run import Runs, be_silent

logger = logging.getLogger(__name__)

RUNS_KEPT = 1000
REFUSAL = "The operator of this session does not allow that. Do without it."


class Steward:
    """Answers permissions by policy.

    Args:
        hub: Tells of permissions that are asked.
        runs: Follows runs.
        requests: Finds permissions.
        answers: Gives the answers.
    """

    def __init__(self, hub: Hub, runs: Runs, requests: Requests, answers: Answers) -> None:
        self._hub = hub
        self._runs = runs
        self._requests = requests
        self._answers = answers
        self._charges: OrderedDict[str, Run] = OrderedDict()
        self._decisions: OrderedDict[str, list[Decision]] = OrderedDict()

    def take_on(self, run: Run) -> None:
        """Look after a run, also while nobody waits for it."""
        self._charges[run.session_id] = run
        self._charges.move_to_end(run.session_id)
        if len(self._charges) > RUNS_KEPT:
            self._charges.popitem(last=False)

    async def watch(self) -> None:
        """Answer what is asked in the runs that are looked after, for as long as the task runs."""
        with self._hub.listen(EVERYTHING) as listener:
            while True:
                for event in await listener.wait(math.inf):
                    if isinstance(event, PermissionAsked):
                        await self._answer_unattended(event.permission)
                    elif isinstance(event, Gap):
                        await self._catch_up()

    async def _catch_up(self) -> None:
        """Answer what was asked while no events came."""
        for directory in {run.directory for run in self._charges.values()}:
            try:
                asked = await self._requests.listed(directory)
            except BridgeError as error:
                logger.info("could not look for permissions in %s: %s", directory, error)
                continue
            for request in asked:
                if isinstance(request, Permission):
                    await self._answer_unattended(request)

    async def _answer_unattended(self, permission: Permission) -> None:
        try:
            root = (await self._requests.lineage(permission.session_id))[-1]
        except BridgeError as error:
            # OpenCode keeps the requests of sessions that were deleted.
            logger.info("could not tell whose permission %s is: %s", permission.id, error)
            return
        run = self._charges.get(root)
        if run is None:
            return
        await self._settles(run, describe(permission, subagent=root != permission.session_id))

    async def follow(self, run: Run, seconds: float, tell: Tell = be_silent) -> RunReport:
        """Wait as ``Runs.follow`` does, but not for what policy decides; the report tells what it decided.

        Raises:
            BackendError: OpenCode could not be read.
        """
        deadline = anyio.current_time() + seconds
        while True:
            report = await self._runs.follow(run, deadline - anyio.current_time(), tell)
            settled = await self._settle(run, report)
            if not settled or report.pending or anyio.current_time() >= deadline:
                report.decided = self._decisions.get(run.message_id, [])
                return report

    async def follow_all(
        self, runs: Sequence[Run], seconds: float, tell: Tell, *, until: Literal["any", "all"]
    ) -> list[RunReport]:
        """Follow several runs at once; with ``any`` only until the first of them ends or asks."""
        async with anyio.create_task_group() as followers:

            async def follow_one(run: Run) -> None:
                try:
                    report = await self.follow(run, seconds, tell)
                except BridgeError:
                    return  # it is looked at once more below
                if until == "any" and report.status != "running":
                    followers.cancel_scope.cancel()

            for run in runs:
                followers.start_soon(follow_one, run)
        return [await self.follow(run, 0) for run in runs]

    async def _settle(self, run: Run, report: RunReport) -> bool:
        """Answer what policy decides, leave in the report what it does not, and say whether anything was answered."""
        asked = report.pending
        report.pending = [request for request in asked if not await self._settles(run, request)]
        settled = len(report.pending) < len(asked)
        if settled and not report.pending:
            report.status = "running"
        return settled

    async def _settles(self, run: Run, request: PendingRequest) -> bool:
        """Answer a request, if policy decides it; false: it stays open."""
        reply = self._answers.authority.automatic(run, request)
        if reply is None:
            return False
        message = REFUSAL if reply == "reject" else ""
        try:
            asked = await self._answers.find(request.request_id, request.session_id)
            await self._answers.give(asked, PermissionReply(reply, message), POLICY)
        except NotFound:
            return True  # somebody else was quicker
        except BridgeError as error:
            logger.warning("could not answer the permission %s: %s", request.request_id, error)
            return False
        self._keep(run, Decision(permission=request.permission, patterns=request.patterns, reply=reply))
        return True

    def _keep(self, run: Run, decision: Decision) -> None:
        self._decisions.setdefault(run.message_id, []).append(decision)
        if len(self._decisions) > RUNS_KEPT:
            self._decisions.popitem(last=False)

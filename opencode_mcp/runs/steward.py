"""Carries out the operator's policy on permissions: answers what it decides by itself, and leaves the rest to be asked.

It looks after the runs that this bridge started, whether or not somebody waits for them, and after any run that
somebody waits for. What it decided is kept for the run's report.
"""

import logging
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from opencode_mcp.errors import BackendError, BridgeError, NotFound
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.events.wire import Gap, PermissionAsked
from opencode_mcp.opencode.models import Permission
from opencode_mcp.options import Decider
from opencode_mcp.runs.follow import Run
from opencode_mcp.runs.policy import Policy
from opencode_mcp.runs.report import Decision, PendingRequest
from opencode_mcp.runs.requests import Requests

logger = logging.getLogger(__name__)

RUNS_KEPT = 1000
REPLIES = {"allow": "once", "reject": "reject"}
REFUSAL = "The operator of this session does not allow that. Do without it."


@dataclass(frozen=True, slots=True)
class _Charge:
    """A run that is looked after."""

    run: Run
    narrowed: Decider


class Steward:
    """Answers permissions by policy.

    Args:
        hub: Tells of permissions that are asked.
        requests: Answers them.
        policy: The operator's.
    """

    def __init__(self, hub: Hub, requests: Requests, policy: Policy) -> None:
        self._hub = hub
        self._requests = requests
        self._policy = policy
        self._charges: OrderedDict[str, _Charge] = OrderedDict()
        self._decisions: OrderedDict[str, list[Decision]] = OrderedDict()

    def take_on(self, run: Run, narrowed: Decider) -> None:
        """Look after a run that this bridge starts, as strictly as its caller wants at least."""
        self._charges[run.session_id] = _Charge(run, narrowed)
        self._charges.move_to_end(run.session_id)
        if len(self._charges) > RUNS_KEPT:
            self._charges.popitem(last=False)

    def narrowed(self, run: Run) -> Decider:
        """How strict the run's caller wants it at least."""
        charge = self._charges.get(run.session_id)
        return charge.narrowed if charge and charge.run == run else "allow"

    def decisions(self, run: Run) -> list[Decision]:
        """What was decided by itself in a run."""
        return self._decisions.get(run.message_id, [])

    async def watch(self) -> None:
        """Answer what is asked in the runs that are looked after, for as long as the task runs."""
        with self._hub.listen(EVERYTHING) as listener:
            while True:
                for event in await listener.wait(math.inf):
                    if isinstance(event, PermissionAsked):
                        await self._answer_event(event.permission)
                    elif isinstance(event, Gap):
                        await self._look_at_all()

    async def _look_at_all(self) -> None:
        """Find what was asked while no events came."""
        for charge in list(self._charges.values()):
            try:
                await self.settle(charge.run, await self._requests.open(charge.run.directory, charge.run.session_id))
            except BridgeError as error:
                logger.info("could not look at %s: %s", charge.run.session_id, error)

    async def _answer_event(self, permission: Permission) -> None:
        charge = self._charges.get(self._hub.lineage(permission.session_id)[-1])
        if charge is None:
            return
        decider = self._policy.decider(permission.permission, permission.patterns, charge.narrowed)
        if decider in REPLIES:
            await self._answer(charge.run, permission.id, permission.permission, permission.patterns, decider)

    async def settle(self, run: Run, pending: Sequence[PendingRequest]) -> list[PendingRequest]:
        """Answer what policy decides.

        Returns:
            What is left to be asked, each with who may answer it.
        """
        left: list[PendingRequest] = []
        for request in pending:
            decider = self.decider(run, request)
            if decider in REPLIES:
                await self._answer(run, request.request_id, request.permission, request.patterns, decider)
            else:
                left.append(request)
        return left

    def decider(self, run: Run, request: PendingRequest) -> Decider:
        """Who answers a request; a question grants nothing, so the agent may whatever the policy."""
        if request.kind == "question":
            return "agent"
        return self._policy.decider(request.permission, request.patterns, self.narrowed(run))

    async def _answer(
        self, run: Run, request_id: str, permission: str, patterns: Sequence[str], decider: Decider
    ) -> None:
        reply = REPLIES[decider]
        try:
            await self._requests.reply_permission(
                request_id, run.directory, reply, REFUSAL if reply == "reject" else ""
            )
        except NotFound:
            return
        except BackendError as error:
            logger.warning("could not answer the permission %s: %s", request_id, error)
            return
        decision = Decision(permission=permission, patterns=list(patterns), reply=reply)
        self._decisions.setdefault(run.message_id, []).append(decision)
        if len(self._decisions) > RUNS_KEPT:
            self._decisions.popitem(last=False)

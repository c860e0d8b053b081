"""Answers the permissions that the operator's policy decides, and leaves the others open.

It does so for the runs that this bridge started, whether or not somebody waits for them, and for any run that somebody
waits for. The decisions are kept for the run's report.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BackendTimeout, BridgeError, NotFound
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.opencode.vocabulary.backend_events import Gap, PermissionAsked, RequestClosed
from opencode_mcp.opencode.vocabulary.models import Permission
from opencode_mcp.runs.answers.answer_rules import POLICY, PermissionReply
from opencode_mcp.runs.answers.reply_sender import ReplySender
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.follow import Observation, Respond, SendProgress, leave_open, no_progress
from opencode_mcp.runs.outcome.run_report import Decision, PendingRequest, RunReport
from opencode_mcp.runs.outcome.state import ENDS, State
from opencode_mcp.runs.reports.reporter import UNSEEN, unseen_report
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.requests.request_descriptions import describe
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from opencode_mcp.text.outside_text import shorten

logger = logging.getLogger(__name__)

RUNS_KEPT = 1000
NAME_LIMIT = 40
"""Characters of a prompt in a line of progress."""
REFUSAL = "The permission policy of this session does not allow that. Do without it."
REPEAT_PAUSE_SECONDS = 0.5
OPEN_ENDED = frozenset({State.WAITING, *ENDS})
"""States in which a run is not waited for any longer."""


@dataclass(slots=True)
class _Attempt:
    """Attempt to answer a permission, which another task may wait for."""

    is_over: anyio.Event = field(default_factory=anyio.Event)
    has_closed: bool = False
    """True if the request is closed now."""


class AutoReply:
    """Answers permissions by policy.

    Args:
        hub: Delivers the permissions that are asked.
        runs: Follows runs.
        requests: Finds permissions.
        answers: Gives the answers.
    """

    def __init__(self, hub: Hub, runs: Runs, requests: Requests, answers: ReplySender) -> None:
        self._hub = hub
        self._runs = runs
        self._requests = requests
        self._reply_sender = answers
        self._watched = BoundedDict[str, Run](RUNS_KEPT)
        self._decisions = BoundedDict[str, list[Decision]](RUNS_KEPT)
        """By the prompt; by the session while OpenCode has not named the prompt of a command."""
        self._open = BoundedDict[str, Permission](RUNS_KEPT)
        """Permissions whose request was seen, and not yet the answer."""
        self._attempts: dict[str, _Attempt] = {}
        """Attempts that are under way, by the id of the request."""

    def add(self, run: Run) -> None:
        """Answer for a run also while nobody waits for it.

        A command of OpenCode 2 is added twice: before it is sent, and when OpenCode has named its prompt.
        """
        self._watched[run.session_id] = run
        if not run.message_id:
            self._decisions.pop(run.session_id, None)
        elif early := self._decisions.pop(run.session_id, None):
            self._decisions[run.message_id] = early

    def _decisions_key(self, run: Run) -> str:
        watched = self._watched.get(run.session_id)
        return run.message_id or (watched.message_id if watched else "") or run.session_id

    async def watch(self) -> None:
        """Answer the permissions of the added runs for as long as the task runs."""
        with self._hub.listen(EVERYTHING) as listener:
            while True:
                for event in await listener.wait(math.inf):
                    if isinstance(event, PermissionAsked):
                        self._open[event.permission.id] = event.permission
                        await self._answer_watched(event.permission)
                    elif isinstance(event, RequestClosed):
                        await self._note_seen(event)
                    elif isinstance(event, Gap):
                        await self._catch_up()

    async def _note_seen(self, event: RequestClosed) -> None:
        """Note the answer to a permission of an added run that somebody gave elsewhere, such as in OpenCode's terminal.

        What OpenCode closes along with a permission that was answered here is no answer of its own.
        """
        permission = self._open.pop(event.request_id, None)
        if permission is None or event.request_id in self._reply_sender.sent:
            return
        run = self._watched.get(self._hub.lineage(permission.session_id)[-1])
        if run is not None and not self._reply_sender.closes_others(permission.session_id):
            await self._reply_sender.note(run, permission, event.reply, by="")

    async def _catch_up(self) -> None:
        """Answer the permissions that were asked while no events came."""
        for directory in {run.directory for run in self._watched.values()}:
            try:
                asked = await self._requests.listed(directory)
            except BridgeError as error:
                logger.info("could not report_now for permissions in %s: %s", directory, error)
                continue
            for request in asked:
                if isinstance(request, Permission):
                    await self._answer_watched(request)

    async def _answer_watched(self, permission: Permission) -> None:
        try:
            root = (await self._requests.lineage(permission.session_id))[-1]
        except BridgeError as error:
            # OpenCode keeps the requests of sessions that were deleted.
            logger.info("could not find the run that asks for %s: %s", permission.id, error)
            return
        run = self._watched.get(root)
        if run is not None:
            await self._answer(run, describe(permission, subagent=root != permission.session_id))

    async def observe(
        self,
        run: Run,
        deadline: Deadline,
        send_progress: SendProgress = no_progress,
        respond: Respond = leave_open,
    ) -> Observation:
        """Wait as ``Runs.observe`` does; ``respond`` gets only the requests that policy does not decide.

        Raises:
            BackendError: OpenCode could not be read.
        """
        closed: set[str] = set()

        async def respond_after_policy(pending: list[PendingRequest]) -> list[PendingRequest]:
            if closed.intersection(request.request_id for request in pending):
                # OpenCode lists a request again that it does not wait for: do not ask it at full speed.
                await anyio.sleep(REPEAT_PAUSE_SECONDS)
            undecided: list[PendingRequest] = []
            for request in pending:
                if await self._answer(run, request):
                    closed.add(request.request_id)
                else:
                    undecided.append(request)
            return await respond(undecided) if undecided else []

        return await self._runs.observe(run, deadline, send_progress, respond_after_policy)

    async def report(self, run: Run, seen: Observation, *, for_caller: bool = True) -> RunReport:
        """Report a run as ``Runs.report`` does, with the decisions of the policy.

        Refusals that were sent from here are known in full, all others as the session has them on record.

        Raises:
            BackendError: OpenCode could not be read.
        """
        report = await self._runs.report(run, seen, for_caller=for_caller)
        refused = self._reply_sender.refused.get(run.message_id, []) or report.decided
        report.decided = [*self._decisions.get(run.message_id, []), *refused]
        if report.status == "aborted":
            report.shortfall = report.shortfall or self._reply_sender.refusals.get(run.message_id, "")
        return report

    async def report_now(self, run: Run) -> RunReport:
        """Report a run without waiting for it; only policy answers.

        Raises:
            BackendError: OpenCode could not be read.
        """
        return await self.report(run, await self.observe(run, Deadline.after(0)))

    async def follow_all(
        self, runs: Sequence[Run], deadline: Deadline, send_progress: SendProgress, *, until: Literal["any", "all"]
    ) -> list[RunReport]:
        """Follow several runs at once, and report each; with ``any`` only until the first of them ends or asks.

        Raises:
            BackendError: OpenCode could not be read.
        """
        ended: dict[Run, Observation] = {}
        async with anyio.create_task_group() as followers:

            async def observe_one(run: Run) -> None:
                try:
                    seen = await self.observe(run, deadline, _named(send_progress, run))
                except BridgeError:
                    return  # It is looked at once more below.
                if seen.state in ENDS:
                    ended[run] = seen
                if until == "any" and seen.state in OPEN_ENDED:
                    followers.cancel_scope.cancel()

            for run in runs:
                followers.start_soon(observe_one, run)
        return [await self._report_now(run, ended.get(run)) for run in runs]

    async def _report_now(self, run: Run, ended: Observation | None) -> RunReport:
        """Report a run; one that has not ended may have changed while the others were waited for."""
        try:
            return await self.report(run, ended or await self.observe(run, Deadline.after(0)))
        except BackendTimeout as error:
            return unseen_report(run, UNSEEN.format(error=error))

    async def _answer(self, run: Run, request: PendingRequest) -> bool:
        """Answer a request if policy decides it, and return whether it is closed.

        ``watch`` and a wait may do so at once: the second one answers only if the first one failed.
        """
        reply = self._reply_sender.answer_rules.automatic(run, request)
        if reply is None:
            return False
        if first := self._attempts.get(request.request_id):
            await first.is_over.wait()
            if first.has_closed:
                return True
        attempt = self._attempts[request.request_id] = _Attempt()
        try:
            attempt.has_closed = await self._reply(run, request, reply)
        finally:
            del self._attempts[request.request_id]
            attempt.is_over.set()
        return attempt.has_closed

    async def _reply(self, run: Run, request: PendingRequest, reply: Literal["once", "reject"]) -> bool:
        """Send a reply of the policy, and return whether the request is closed."""
        message = REFUSAL if reply == "reject" else ""
        try:
            asked = await self._reply_sender.find(request.request_id, request.session_id)
            await self._reply_sender.send(asked, PermissionReply(reply, message), POLICY)
        except NotFound:
            return True  # Somebody else was quicker.
        except BridgeError as error:
            logger.warning("could not answer the permission %s: %s", request.request_id, error)
            return False
        decision = Decision(permission=request.permission, patterns=request.patterns, reply=reply)
        self._decisions.setdefault(self._decisions_key(run), []).append(decision)
        return True


def _named(send_progress: SendProgress, run: Run) -> SendProgress:
    """Return a function that sends progress with the session that it is about, and its prompt."""
    name = f"{run.session_id} ({shorten(run.words, NAME_LIMIT)})" if run.words else run.session_id

    async def send(line: str) -> None:
        await send_progress(f"{name}: {line}")

    return send

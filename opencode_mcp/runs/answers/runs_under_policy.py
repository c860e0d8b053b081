"""Waits for runs, during which policy answers the permissions that it decides, and reports with these decisions.

``Runs`` knows nothing of policy. The tools wait for runs by way of this module.
"""

from collections.abc import Sequence
from typing import Literal

import anyio

from opencode_mcp.errors import BackendTimeout, BridgeError
from opencode_mcp.runs.answers.auto_reply import AutoReply
from opencode_mcp.runs.answers.reply_sender import ReplySender
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.following.wait_callbacks import Respond, SendProgress, leave_open, no_progress
from opencode_mcp.runs.outcome.run_report import PendingRequest, RunReport
from opencode_mcp.runs.outcome.state import ENDS, State
from opencode_mcp.runs.reports.reporter import UNSEEN, unseen_report
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from opencode_mcp.text.outside_text import shorten

PROMPT_CHARACTERS = 40
"""Characters of a prompt in a line of progress."""
REPEAT_PAUSE_SECONDS = 0.5
OPEN_ENDED = frozenset({State.WAITING, *ENDS})
"""States in which a run is not waited for any longer."""


class RunsUnderPolicy:
    """Waits for runs and reports them, under the permission policy.

    Args:
        runs: Follows runs.
        auto_reply: Answers what policy decides.
        reply_sender: Knows what was refused.
    """

    def __init__(self, runs: Runs, auto_reply: AutoReply, reply_sender: ReplySender) -> None:
        self._runs = runs
        self._auto_reply = auto_reply
        self._reply_sender = reply_sender

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
                if await self._auto_reply.answer(run, request):
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
        report.decided = [*self._auto_reply.decisions_of(run), *refused]
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
                    return  # It is read once more below.
                if seen.state in ENDS:
                    ended[run] = seen
                if until == "any" and seen.state in OPEN_ENDED:
                    followers.cancel_scope.cancel()

            for run in runs:
                followers.start_soon(observe_one, run)
        return [await self._report_one(run, ended.get(run)) for run in runs]

    async def _report_one(self, run: Run, ended: Observation | None) -> RunReport:
        """Report a run; one that has not ended may have changed while the others were waited for."""
        try:
            return await self.report(run, ended or await self.observe(run, Deadline.after(0)))
        except BackendTimeout as error:
            return unseen_report(run, UNSEEN.format(error=error))


def _named(send_progress: SendProgress, run: Run) -> SendProgress:
    """Return a function that sends progress with the session that it is about, and its prompt."""
    name = f"{run.session_id} ({shorten(run.words, PROMPT_CHARACTERS)})" if run.words else run.session_id

    async def send(line: str) -> None:
        await send_progress(f"{name}: {line}")

    return send

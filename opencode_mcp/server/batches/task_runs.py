"""Runs of tasks: start the run of a claimed task, or find the run of an adopted one, and follow it to its end.

A prompt is given to OpenCode once. Its id is stored before anything is made in OpenCode, and immediately before it is
sent the queue admits it. So if the bridge dies:

* before the admission, the prompt was not sent, and the task is queued again;
* after it, the session shows whether OpenCode has the prompt. If it has, its run is followed. If it has not, the
  session is deleted, so that a request which is still under way finds nothing, and the task is queued again.

If OpenCode ends in the middle of a run, it is started again or found again, and the task goes on in its session with a
further prompt (``continuation.py``).
"""

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.batch_queue.task_queue import STOPPED
from opencode_mcp.batch_queue.tasks import TaskOutcome
from opencode_mcp.errors import (
    BackendTimeout,
    BridgeError,
    CallerError,
    LimitReached,
    NotFound,
)
from opencode_mcp.launcher.outages import AWAY
from opencode_mcp.runs.enforcement.usage import RunUsage
from opencode_mcp.runs.limits import Used, excess_of_batch, left
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.runs.reports.reporter import SESSION_DELETED
from opencode_mcp.runs.session_stopping import SessionTree
from opencode_mcp.runs.starting.start_deadline import StartDeadline
from opencode_mcp.server.batches.continuation import done_before, order_to_go_on, used_up
from opencode_mcp.server.batches.outcomes import failure_of, outcome_of
from opencode_mcp.server.batches.unsent_task_cleanup import (
    assign_worktree,
    delete_session,
    place_name,
    remove_rest,
    withdraw_unstarted,
)
from opencode_mcp.server.finish.finish_command import FinishCommand
from opencode_mcp.server.finish.reports_across_outages import LastingReports
from opencode_mcp.server.new_runs.run_orders import RunOrder, StartTerms, start_run

if TYPE_CHECKING:
    from opencode_mcp.batch_queue.task_queue import Queue
    from opencode_mcp.batch_queue.tasks import Task
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run, RunStarter
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

START_SECONDS = 900.0
"""Time for the start of OpenCode and of the project, and for the preparation of a worktree."""
MOST_ATTEMPTS = 5
RETRY_SECONDS = 5.0
"""Time before a further attempt, multiplied by the number of attempts."""
ARRIVAL_SECONDS = 10.0
"""Seconds after which a prompt that a dead bridge has sent shows in its session, if OpenCode has it."""
PAUSE = 0.5
OWN_FAULT = "This MCP server failed while it started or followed the run; its log has the details."


class _Withdrawn(CallerError):
    """The task was stopped before its prompt was sent."""


class BatchTaskRunner:
    """Starts and follows the runs of tasks.

    Args:
        bridge: The parts of the server.
        queue: Records what becomes of the tasks.
    """

    def __init__(self, bridge: "Bridge", queue: "Queue") -> None:
        self._bridge = bridge
        self._queue = queue
        self._outages = bridge.outages

    async def start(self, task: "Task") -> None:
        """Start the run of a claimed task, and follow it to its end."""
        servers_found = 0
        try:
            await self._outages.wait_over()
            servers_found = self._bridge.hub.servers_found
            task = await self._named(task)
            run = await self._started(task)
        except _Withdrawn:
            await self._end(task, TaskOutcome(status="aborted", note=STOPPED))
        except LimitReached as error:
            logger.info("%s waits: %s", task.id, error)
            await self._put_back(task, RETRY_SECONDS)
        except AWAY as error:
            await self._try_again(task, error)
        except BridgeError as error:
            await self._end(task, failure_of(error))
        else:
            await self._follow(task, run, servers_found)

    async def _named(self, task: "Task") -> "Task":
        """Give a task the id of its prompt, by which what is made for it is found again."""
        message_id = new_message_id(self._bridge.client.clock.now())
        await self._queue.name_prompt(task, message_id)
        return replace(task, message_id=message_id)

    async def _started(self, task: "Task") -> "Run":
        bridge = self._bridge
        until = anyio.current_time() + START_SECONDS
        deadline = StartDeadline(until)

        async def admit(run: "Run") -> None:
            if not await self._queue.admit(task, run.session_id):
                raise _Withdrawn(STOPPED)
            self._share_limit(task, run)

        start = StartTerms(
            starter=_starter(task),
            deadline=deadline,
            until=until,
            place_name=place_name(task),
            message_id=task.message_id,
            admit=admit,
        )
        with deadline.scope:
            return await start_run(bridge, RunOrder.read(task.arguments), start)
        raise BackendTimeout(f"OpenCode was not ready within {START_SECONDS:.0f} s.")

    async def _try_again(self, task: "Task", error: BridgeError) -> None:
        """Queue a task again whose prompt OpenCode does not have, unless that failed too often."""
        logger.info("could not start %s: %s", task.id, error)
        try:
            await self._remove_rest(task)
        except BridgeError as later:
            error = later
        else:
            if task.attempts < MOST_ATTEMPTS:
                await self._put_back(task, RETRY_SECONDS * task.attempts)
                return
        await self._end(task, failure_of(error))

    async def _remove_rest(self, task: "Task") -> None:
        """Remove what was made for a prompt that OpenCode does not have, as soon as OpenCode can be reached."""
        await self._outages.repeat(partial(remove_rest, self._bridge, task))

    async def _put_back(self, task: "Task", seconds: float = 0) -> None:
        await self._queue.put_back(task, seconds, session_id=RunOrder.read(task.arguments).session_id)

    async def resume(self, task: "Task") -> None:
        """Go on with a task whose bridge has died."""
        try:
            run = await self._sent_run(task) if task.session_id else None
            if run is None:
                await self._remove_rest(task)
        except NotFound:
            await self._end(task, TaskOutcome(status="aborted", note=SESSION_DELETED))
        except BridgeError as error:
            await self._end(task, failure_of(error))
        else:
            await self._go_on(task, run)

    async def _go_on(self, task: "Task", run: "Run | None") -> None:
        """Follow the run of an adopted task; queue the task again if its prompt was not sent."""
        if run is None:
            await self._put_back(task)
            return
        self._bridge.supervision.add_new(run)
        self._share_limit(task, run)
        await self._follow(task, run, self._bridge.hub.servers_found)

    def _share_limit(self, task: "Task", run: "Run") -> None:
        """Stop a run when a step of it begins after the tasks of its batch have cost as much as they may."""
        limit = task.batch_max_cost
        if limit is None or not self._bridge.supervision.may_stop:
            return

        async def excess(cost: float) -> str:
            spent = await self._queue.note_cost(task, done_before(task).cost + cost)
            return excess_of_batch(limit, spent)

        self._bridge.supervision.limit_watch.share(run, excess)

    async def _sent_run(self, task: "Task") -> "Run | None":
        """Return the run of a prompt that may have been sent; None if OpenCode does not have it.

        Raises:
            NotFound: Its session was deleted.
        """
        bridge, repeat = self._bridge, self._outages.repeat
        session = await repeat(partial(bridge.fence.session, task.session_id))
        run = await repeat(partial(self._found, session, task.message_id))
        if run is None or await repeat(partial(withdraw_unstarted, bridge, session, task.message_id)):
            await self._delete_started(task, session)
            return None
        await assign_worktree(bridge, session)
        return run

    async def _delete_started(self, task: "Task", session: "Session") -> None:
        """Delete the session of a task, unless an earlier prompt is in it."""
        if not RunOrder.read(task.arguments).session_id:
            await self._outages.repeat(partial(delete_session, self._bridge, session))

    async def _found(self, session: "Session", message_id: str) -> "Run | None":
        """Return the run of a prompt; None if OpenCode does not show it in time."""
        with anyio.move_on_after(ARRIVAL_SECONDS):
            while True:
                try:
                    return await self._bridge.runs.find(session, message_id)
                except NotFound:
                    await anyio.sleep(PAUSE)
        return None

    async def _follow(self, task: "Task", run: "Run", servers_found: int) -> None:
        """Follow a run to its end, and record it, and each time at which it waits for an answer.

        Args:
            task: The task.
            run: Its run.
            servers_found: What ``Hub.servers_found`` was before the prompt was sent.
        """
        reports, finish = LastingReports(self._bridge, run), FinishCommand(self._bridge)
        try:
            report = await self._report(reports, servers_found)
            while report.status == "needs_input":
                finish.pass_on_later(report)
                await self._queue.note_asking(task, asks=True)
                await reports.wait_answered(report)
                await self._queue.note_asking(task, asks=False)
                report = await self._report(reports, servers_found)
            is_over = not report.broken_off or not await self._goes_on(task, run, report)
        except NotFound:
            await self._end(task, TaskOutcome(status="aborted", note=SESSION_DELETED))
        except BridgeError as error:
            await self._end(task, failure_of(error, done_before(task)))
        else:
            if is_over:
                finish.pass_on_later(report)
                await self._end(task, outcome_of(report, done_before(task)))

    async def _report(self, reports: LastingReports, servers_found: int) -> "RunReport":
        """Wait until a run ends or asks, and report it; an OpenCode that went away is started again or comes back.

        A prompt that OpenCode had not begun when it went away is broken off, too.
        """
        report = await reports.next()
        was_away = self._bridge.hub.servers_found != servers_found
        report.broken_off = report.broken_off or (was_away and report.not_started)
        return report

    async def _goes_on(self, task: "Task", run: "Run", report: "RunReport") -> bool:
        """Queue a task again whose run broke off; return False if it is to end instead, as its report says.

        Raises:
            NotFound: Its session was deleted.
            BackendError: OpenCode could not be read.
        """
        if task.attempts >= MOST_ATTEMPTS:
            return False
        session = await self._outages.repeat(partial(self._bridge.fence.session, run.session_id))
        if await self._outages.repeat(partial(self._has_begun, run)):
            return await self._goes_on_with_rest(task, run, report)
        await self._delete_started(task, session)
        await self._remove_rest(task)
        await self._put_back(task)
        return True

    async def _goes_on_with_rest(self, task: "Task", run: "Run", report: "RunReport") -> bool:
        """Queue a task again with what is left of its limits; if they are used up, report it as aborted."""
        rest = left(run.limits, await self._outages.repeat(partial(self._used, run, report)))
        if rest is None:
            report.status, report.error, report.shortfall = "aborted", "", used_up(run.limits)
            return False
        return await self._queue.go_on(task, run.session_id, order_to_go_on(task, report, rest))

    async def _used(self, run: "Run", report: "RunReport") -> Used:
        """Return what a run that broke off has used of its limits."""
        client = self._bridge.client
        usage, unlisted = RunUsage(client, run), 0
        if run.limits.counts_messages:
            levels = await SessionTree(client, run.session_id, run.directory).levels()
            await usage.read(session_id for level in levels for session_id in level)
            # OpenCode 2 does not list the step that broke off.
            last = [message.info for message in (await client.session_messages(run.session_id, limit=1)).items][-1:]
            unlisted = int(all(info.role != "assistant" or bool(info.ended) for info in last))
        used_seconds = max(report.seconds - report.waited, 0)
        return Used(max(usage.cost, report.cost), usage.steps + unlisted, used_seconds)

    async def _has_begun(self, run: "Run") -> bool:
        """Return True if the prompt of a run is in its session; it is taken out of the inbox if it waits there."""
        client = self._bridge.client
        if run.message_id in await client.pending_prompts(run.session_id):
            await client.withdraw_prompt(run.session_id, run.message_id)
            return False
        try:
            await client.session_message(run.session_id, run.message_id)
        except NotFound:
            return False
        return True

    async def give_up(self, task: "Task", error: Exception) -> None:
        """Record the end of a task whose start or run could not be looked after."""
        known = isinstance(error, BridgeError)
        await self._end(task, failure_of(error) if known else TaskOutcome(status="failed", note=OWN_FAULT))

    async def _end(self, task: "Task", outcome: TaskOutcome) -> None:
        """Record the end of a task, as soon as the queue can be written."""
        while True:
            try:
                await self._queue.finish(task, outcome)
            except BridgeError as error:
                logger.warning("cannot record the end of %s: %s", task.id, error)
                await anyio.sleep(RETRY_SECONDS)
            else:
                return


def _starter(task: "Task") -> "RunStarter":
    return "person" if task.starter == "person" else "agent"

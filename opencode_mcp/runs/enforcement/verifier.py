"""Verifies the work of runs, also while nobody waits for them.

One task verifies each run that is to be verified, from before its prompt is sent until the result is final. It
follows the prompt to its end, runs the command, and sends a failure back as often as the caller wants. The result is
in the note of the run, so every bridge reports it.

A lock that the bridges share lets one of them at a time verify a run; the kernel releases it when its holder dies.
Another bridge that follows the run reads the note until the result is there or the lock is free. Then it goes on: it
verifies the run if the note has no result.
"""

import hashlib
import logging
import math
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from opencode_mcp.disk.file_locks import try_lock
from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError, NotFound
from opencode_mcp.events.hub import Hub
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.enforcement.repairs import is_at_end_of, read_note, send_repair, without_unsent, write_note
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.following.wait_callbacks import no_progress
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.run_life import STOPPED, Runs
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.verification.command import verify
from opencode_mcp.runs.verification.verification_progress import Verification
from opencode_mcp.runs.verification.wanted_verification import Verified, Verify

logger = logging.getLogger(__name__)

STOP_READ_INTERVAL_SECONDS = 3.0
"""Time between two reads of the note while a command runs: another bridge may ask to stop it."""
NOTE_READ_INTERVAL_SECONDS = 1.0
"""Time between two reads of a note that another bridge is going to write."""
LONGEST_OUTAGE_SECONDS = 300.0
"""Time for which a verification waits until a call has found OpenCode again."""
ANSWER_WAIT_SECONDS = 600.0
"""Time of one wait for an answer to a request; another one follows."""
MOVED_ON = "The session went on to another prompt before the work was verified."
NOT_HERE = "Its bridge has ended, and the settings of this MCP server do not allow the command."
NO_DEADLINE = math.inf


@dataclass(frozen=True, slots=True)
class CommandParts:
    """Parts of the bridge that a verification works with.

    Args:
        worktrees: Knows the isolated worktrees, and git.
        environment: Variables of the bridge.
        locks: Folder of the locks that the bridges share.
        allows: Returns True if this bridge may run a command.
    """

    worktrees: Worktrees
    environment: Mapping[str, str]
    locks: Path
    allows: Callable[[Verify], bool]


class Verifier:
    """Verifies the work of runs.

    Args:
        hub: Connects to OpenCode.
        runs: Follows the runs, and knows how far each verification has come.
        requests: Tells when a request of a run is closed.
        task_group: Runs the tasks, which outlive the calls that start runs.
        parts: What the commands need.
    """

    def __init__(self, hub: Hub, runs: Runs, requests: Requests, task_group: TaskGroup, parts: CommandParts) -> None:
        self._hub = hub
        self._runs = runs
        self._requests = requests
        self._task_group = task_group
        self._parts = parts

    def add(self, run: Run, *, is_new: bool) -> None:
        """Follow a run until its verification has ended; one that is not to be verified needs no task.

        Args:
            run: The run.
            is_new: True if this bridge is starting it, so that no other one verifies it.
        """
        verification = self._runs.verifications.track(run.session_id, run.message_id, run.verification)
        if verification and not verification.has_task and not verification.record.is_over:
            verification.has_task = True
            self._task_group.start_soon(self._verify_in_turn, run, verification, is_new)

    async def stop_elsewhere(self, run: Run, reason: str = STOPPED) -> bool:
        """Ask the bridge that verifies a run to stop its verification; return False if it is over, or is run here.

        Raises:
            SessionBusy: Another bridge was starting something in the session all the time.
            BackendError: The note could not be read or written.
        """
        verification = self._runs.verifications.track(run.session_id, run.message_id, run.verification)
        if verification is None or verification.record.is_over or verification.command:
            return False
        client = await self._client()
        async with self._runs.turns.alone_in(run.session_id):
            noted = await read_note(self._runs, client, run)
            if noted is None or noted.is_over:
                return False
            await write_note(self._runs, client, run, replace(noted, stop=reason))
        return True

    async def _verify_in_turn(self, run: Run, verification: Verification, is_new: bool) -> None:  # noqa: FBT001 - of a task
        try:
            async with self._turn(run, verification) as has_turn:
                if has_turn:
                    await self._verify_across_outages(run, verification, is_new=is_new)
        except NotFound:
            logger.info("the session %s was deleted before its work was verified", run.session_id)
        except (BridgeError, OSError) as error:
            logger.warning("the work of %s is not verified any more: %s", run.session_id, error)
            # In this bridge alone: another one may still verify it.
            result = Verified("not run", note=f"The verification failed: {error}")
            verification.update(replace(verification.record, result=result, is_over=True))
        finally:
            verification.has_task, verification.began, verification.command = False, None, None
            verification.notify()

    @asynccontextmanager
    async def _turn(self, run: Run, verification: Verification) -> AsyncGenerator[bool]:
        """Hold the lock of a run; yield False if another bridge brought the result before."""
        path = await to_thread.run_sync(_lock_file, self._parts.locks, run.message_id)
        lock = try_lock(path)
        while lock is None:
            await self._read(run, verification)
            if verification.record.is_over:
                yield False
                return
            await anyio.sleep(NOTE_READ_INTERVAL_SECONDS)
            lock = try_lock(path)
        try:
            yield True
        finally:
            if verification.record.is_over:
                # A bridge that takes the lock from now on finds the result in the note. Windows removes no open file.
                with suppress(OSError):
                    path.unlink()
            lock.release()

    async def _read(self, run: Run, verification: Verification) -> None:
        """Read how far another bridge has come."""
        noted = await read_note(self._runs, await self._client(), run)
        if noted and noted != verification.record:
            verification.update(noted)

    async def _verify_across_outages(self, run: Run, verification: Verification, *, is_new: bool) -> None:
        """Verify the work of a run; after an outage of OpenCode, go on where that left it."""
        while True:
            try:
                return await self._verify(run, verification, is_new=is_new)
            except (BackendUnavailable, BackendTimeout) as error:
                logger.info("the verification of %s is interrupted: %s", run.session_id, error)
            is_new = False
            with anyio.move_on_after(LONGEST_OUTAGE_SECONDS) as waiting:
                await anyio.sleep(NOTE_READ_INTERVAL_SECONDS)
                while not self._hub.follows:  # noqa: ASYNC110 - the hub notifies only of events of OpenCode
                    await anyio.sleep(NOTE_READ_INTERVAL_SECONDS)
            if waiting.cancelled_caught:
                # The call that follows the run next adds it again.
                return None

    async def _verify(self, run: Run, verification: Verification, *, is_new: bool) -> None:
        """Follow the prompts of a run, and verify the work after each, until a result is final."""
        if not is_new and not await self._take_over(run, verification):
            return
        while True:
            prompt = replace(run, message_id=verification.record.latest_prompt or run.message_id)
            seen = await self._follow(prompt)
            if seen.gone:
                raise BackendUnavailable(seen.gone)
            if not _has_valid_answer(seen):
                return
            result = await self._result(run, verification)
            verification.update(replace(verification.record, result=result))
            if not await self._goes_on(run, verification):
                await self._end(run, verification)
                return

    async def _take_over(self, run: Run, verification: Verification) -> bool:
        """Read how far the bridge before has come; return False if nothing is left to do here."""
        await self._read(run, verification)
        if verification.record.is_over:
            return False
        if verification.record.stop:
            stopped = Verified("stopped", note=verification.record.stop)
            verification.update(replace(verification.record, result=stopped))
            await self._end(run, verification)
            return False
        if not self._parts.allows(verification.record.request):
            verification.update(replace(verification.record, result=Verified("not run", note=NOT_HERE)))
            verification.end()
            return False
        verification.update(await without_unsent(await self._client(), run, verification.record))
        return not verification.record.is_over

    async def _follow(self, prompt: Run) -> Observation:
        """Follow a prompt to its end, however long it waits for answers."""

        async def wait_answered(pending: list[PendingRequest]) -> list[PendingRequest]:
            for request in pending:
                while not await self._requests.wait_closed(request, prompt.directory, ANSWER_WAIT_SECONDS):
                    pass
            return []

        return await self._runs.observe_prompt(prompt, Deadline(NO_DEADLINE), no_progress, wait_answered)

    async def _result(self, run: Run, verification: Verification) -> Verified:
        """Run the command, unless that makes no sense any more."""
        if not await is_at_end_of(await self._client(), run, verification.record):
            return Verified("not run", note=MOVED_ON)
        files = LeftFiles(self._parts.worktrees, verification.record.latest_prompt or run.message_id)
        with anyio.CancelScope() as scope:
            verification.command, verification.began = scope, anyio.current_time()
            verification.notify()
            if not verification.stop_reason:
                result = await self._run_command(run, verification, files)
                verification.command, verification.began = None, None
                return result
        seconds = round(anyio.current_time() - (verification.began or 0), 1)
        verification.command, verification.began = None, None
        left = await files.end(run.directory)
        return Verified("stopped", seconds=seconds, left=left, note=verification.stop_reason)

    async def _run_command(self, run: Run, verification: Verification, files: LeftFiles) -> Verified:
        """Run the command, and end it when another bridge asks for that."""
        result = Verified("stopped")
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch_for_stop, run, verification)
            request = verification.record.request
            result = await verify(request, run.directory, files, self._parts.environment)
            watching.cancel_scope.cancel()
        return result

    async def _watch_for_stop(self, run: Run, verification: Verification) -> None:
        while True:
            await anyio.sleep(STOP_READ_INTERVAL_SECONDS)
            try:
                noted = await read_note(self._runs, await self._client(), run)
            except BridgeError as error:
                logger.info("could not read the note of %s: %s", run.session_id, error)
                continue
            if noted and noted.stop:
                verification.stop(noted.stop)

    async def _goes_on(self, run: Run, verification: Verification) -> bool:
        """Send a failure back, if there is one and the caller wants that; return True if it was sent."""
        record = verification.record
        failed = record.result is not None and record.result.outcome in {"failed", "timed out"}
        if not failed or len(record.repairs) >= record.request.repair or verification.stop_reason:
            return False
        try:
            await send_repair(self._runs, run, verification)
        except BridgeError as error:
            note = f"The failure could not be sent back: {error.message}"
            verification.update(replace(record, result=replace(record.result, note=note) if record.result else None))
            return False
        return True

    async def _end(self, run: Run, verification: Verification) -> None:
        """Make the result final, and note it for other bridges."""
        record = replace(verification.record, is_over=True)
        try:
            with anyio.CancelScope(shield=True):
                async with self._runs.turns.alone_in(run.session_id):
                    await write_note(self._runs, await self._client(), run, record)
        except BridgeError as error:
            logger.info("could not note the verification of %s: %s", run.session_id, error)
        verification.update(record)

    async def _client(self) -> OpenCodeClient:
        return OpenCodeClient(await self._hub.ensure())


def _has_valid_answer(seen: Observation) -> bool:
    """Return True if a prompt completed, with an answer that fits its schema if it has one."""
    return seen.state is State.COMPLETED and not (seen.checked and seen.checked.problem)


def _lock_file(folder: Path, message_id: str) -> Path:
    """Return the lock file of a run; it exists then."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(message_id.encode(errors='replace')).hexdigest()[:32]}.lock"
    path.touch()
    return path

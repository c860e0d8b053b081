"""Start OpenCode through a guard, and exchange messages with the guard until OpenCode is ready; see ``guard``."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, cast

import anyio
from anyio import to_thread

from opencode_mcp.disk.file_locks import try_lock
from opencode_mcp.disk.path_errors import shortened
from opencode_mcp.disk.state_folder import open_private
from opencode_mcp.errors import InvalidSetting, OpenCodeNotStarting
from opencode_mcp.launcher.guarding.data_lock import Holder
from opencode_mcp.launcher.guarding.guard import HOLDER, KEEP, READY, Plan
from opencode_mcp.processes.ending import FLAGS
from opencode_mcp.processes.identity import Process

if TYPE_CHECKING:
    from opencode_mcp.launcher.server_record import StateFiles

logger = logging.getLogger(__name__)

# It exits at once, so that the guard has no parent by which a host could find it.
STARTER = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=0, stdout=1, stderr=2, start_new_session=True)"
# Not from the working directory, where a project could contain a module of that name.
GUARD = (sys.executable, "-P", "-m", "opencode_mcp.launcher.guarding.guard")
GUARD_TIMEOUT_SECONDS = 30.0
CODE_TIMEOUT_SECONDS = 2.0
POLL_SECONDS = 0.02


class GuardedServer:
    """OpenCode that a guard starts. Close it in the end; before ``keep``, that ends OpenCode.

    Args:
        files: Files of the server: working directory, output, and answers of the guard.
    """

    def __init__(self, files: "StateFiles") -> None:
        self._files = files
        self._starter: subprocess.Popen[bytes] | None = None
        self._received = 0

    async def open(self, plan: Plan) -> None:
        """Start a guard.

        Raises:
            OSError: The system cannot start it, or the files cannot be written.
        """
        self._starter = await to_thread.run_sync(self._open)
        await self._send(json.dumps(asdict(plan)))

    def _open(self) -> subprocess.Popen[bytes]:
        with open_private(self._files.output) as output, open_private(self._files.answers) as answers:
            return _started(self._files, answers, output)

    async def process(self) -> Process:
        """Return the process of OpenCode.

        Raises:
            OpenCodeNotStarting: The system cannot run it, or the guard does not answer.
            InvalidSetting: The OpenCode of other bridges uses the data.
        """
        answer = await self._receive(within=GUARD_TIMEOUT_SECONDS)
        if HOLDER in answer:
            raise _data_in_use(Holder(*cast("Sequence[Any]", answer[HOLDER])))
        if "pid" in answer:
            _note_missing_lock(cast("str", answer["unlocked"]))
            return Process(cast("int", answer["pid"]), cast("str", answer["born"]))
        if "error" in answer:
            message = f"{answer['file']} cannot be run: {answer['error']}."
            raise OpenCodeNotStarting(message, hint="Name a working one with --opencode or OPENCODE_BIN.")
        raise OpenCodeNotStarting("The process that starts OpenCode does not answer.", hint="Call again.")

    async def keep(self) -> None:
        """Make OpenCode outlive this object."""
        await self._send(KEEP)

    async def ready(self) -> None:
        """Report to the guard that OpenCode answers."""
        await self._send(READY)

    async def exit_code(self) -> int | None:
        """Return the exit code of OpenCode; ``None`` if the guard does not report it."""
        return cast("int | None", (await self._receive(within=CODE_TIMEOUT_SECONDS)).get("code"))

    async def aclose(self) -> None:
        """Close the channel to the guard."""
        if self._starter and self._starter.stdin:
            with suppress(OSError):
                self._starter.stdin.close()

    async def _send(self, line: str) -> None:
        await to_thread.run_sync(self._write, line.encode() + b"\n")

    def _write(self, line: bytes) -> None:
        if self._starter and self._starter.stdin:
            # If the guard is gone, its last answer is read next.
            with suppress(OSError):
                self._starter.stdin.write(line)
                self._starter.stdin.flush()

    async def _receive(self, *, within: float) -> Mapping[str, object]:
        """Return the next answer of the guard; empty if there is none within ``within`` seconds."""
        with anyio.move_on_after(within):
            while True:
                lines = self._files.answers.read_bytes().split(b"\n")[:-1]
                if len(lines) > self._received:
                    self._received += 1
                    return json.loads(lines[self._received - 1])
                await anyio.sleep(POLL_SECONDS)
        return {}


def _data_in_use(holder: Holder) -> InvalidSetting:
    """Return the error for data that the OpenCode of another state folder uses."""
    named = f" with the state folder {shortened(holder.state)}" if holder.state else ""
    end = f", or end its process {holder.pid}" if holder.pid else ""
    return InvalidSetting(
        f"Another opencode-mcp{named} uses OpenCode 2 on the same data folder, and there can be only one.",
        hint=f"Start both with the same OPENCODE_MCP_STATE{end}, or give this one a data folder of its own with "
        "XDG_DATA_HOME.",
    )


def _note_missing_lock(reason: str) -> None:
    if reason:
        logger.warning(
            "OpenCode 2 was started without a lock on its data folder, so a second one there would not be noticed: %s",
            reason,
        )


async def guard_again(process: Process, files: "StateFiles", stop_after: float) -> None:
    """Start another guard for an OpenCode 1 whose guard was killed; do nothing if a guard lives.

    An OpenCode 2 ends with its guard, so there is none to watch.

    Args:
        process: OpenCode.
        files: Its files; the caller holds their lock.
        stop_after: Seconds without a bridge after which it is ended.
    """
    await to_thread.run_sync(_guard_again, process, files, stop_after)


def _guard_again(process: Process, files: "StateFiles", stop_after: float) -> None:
    plan = Plan(
        command=[],
        environment={},
        directory=str(files.directory),
        lock=str(files.lock),
        leases=str(files.leases),
        record=str(files.record),
        mark=("", ""),
        stop_after=stop_after,
        guard=str(files.guard),
        process=(process.pid, process.born),
    )
    try:
        lock = try_lock(files.guard)
        if lock is None:
            return
        lock.release()
        starter = _started(files, subprocess.DEVNULL, subprocess.DEVNULL)
        if starter.stdin:
            starter.stdin.write(json.dumps(asdict(plan)).encode() + b"\n")
            starter.stdin.close()
    except OSError as error:
        logger.warning("--stop-after has no effect: no guard can be started for process %d: %s", process.pid, error)
    else:
        logger.info("The guard of OpenCode (process %d) had ended; another one was started.", process.pid)


def _started(files: "StateFiles", answers: "IO[bytes] | int", output: "IO[bytes] | int") -> subprocess.Popen[bytes]:
    """Start a guard, which reads its plan from standard input."""
    starter = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", STARTER, *GUARD],
        stdin=subprocess.PIPE,
        stdout=answers,
        stderr=output,
        cwd=files.directory,
        start_new_session=sys.platform != "win32",
        creationflags=FLAGS,
    )
    with suppress(subprocess.TimeoutExpired):
        starter.wait(GUARD_TIMEOUT_SECONDS)
    return starter

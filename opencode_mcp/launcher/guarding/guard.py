"""Guard process between a bridge and OpenCode: it starts OpenCode, and ends it when no bridge has used it for long.

Design. Bridges come and go with their hosts; the OpenCode that they share must outlive each of them and must not
outlive all of them. One small process per OpenCode, the guard, takes care of both. The bridge starts it through a
process that exits at once, so neither the guard nor OpenCode is a child of any bridge. Bridge and guard talk over the
guard's standard input, one line per message, and over a file for its answers:

1. The bridge sends the plan. The guard starts OpenCode and answers with its process id, or with the error.
2. The bridge writes the record of the process and sends ``keep``. Without ``keep`` within 30 s the guard ends OpenCode.
3. OpenCode answers requests, and the bridge sends ``ready``. When OpenCode ends, the guard answers with the exit code.

An OpenCode 2 ends when its standard input is closed. The guard holds the other end open, so a killed guard leaves no
OpenCode 2 behind. Before the guard ends one, it runs a program that interrupts what OpenCode works on. While OpenCode 2
runs, its guard holds the lock on its data (see ``data_lock``).

After that the guard polls the leases of the bridges. If no lease has been held for ``stop_after`` seconds, it takes the
lock under which bridges search, checks the leases once more, ends OpenCode, and removes the record.

Rejected alternatives:

- OpenCode as a child of the bridge. Some hosts end a bridge together with all its descendants (by process tree, not
  only by process group), which would end the work of other bridges.
- A detached OpenCode without a guard. A bridge that is killed cannot stop it, and an idle server of 500 MB stays.
- A service of the operating system. It needs an installation, and each system has another one.
- A pipe for the answers. It breaks when the bridge ends, and a full pipe would block the guard.

Invariants:

- No OpenCode without a record: it is recorded before ``keep``, and ended if the record cannot be written.
- OpenCode is ended only while the search lock is held, so no bridge can start to use it at that moment.
- At most one guard watches a server. It holds ``guard.lock`` while it lives; a bridge that finds the lock free starts
  another guard, which adopts the running process by id and birth (the id alone may have been reused).
- If the state folder is gone, no bridge can find OpenCode again, and it counts as unused.
- The guard imports little and knows nothing of HTTP, because it stays in memory as long as OpenCode does.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from opencode_mcp.disk.file_locks import any_lease_lives, try_lock
from opencode_mcp.launcher.guarding import data_lock
from opencode_mcp.processes.ending import FLAGS, ask_to_end, force_to_end
from opencode_mcp.processes.process_table import born, started_with

if TYPE_CHECKING:
    from filelock import FileLock

KEEP = "keep"
READY = "ready"
HOLDER = "holder"
"""Name of the answer that says who holds the lock on the data."""
KEEP_TIMEOUT_SECONDS = 30.0
GRACE_SECONDS = 5.0
BEFORE_END_TIMEOUT_SECONDS = 15.0
SHORTEST_POLL_SECONDS = 0.2
LONGEST_POLL_SECONDS = 30.0
ADOPTED_POLL_SECONDS = 1.0
LOCK_ATTEMPTS = 5
POLLS_UNTIL_END = 10
"""Number of polls within ``stop_after``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Command to start, and conditions under which to end it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    lock: str
    """Path of the lock under which bridges search for the server; the guard holds it while it checks the leases."""
    leases: str
    record: str
    mark: Sequence[str]
    """Name and value of an environment variable that only this start has."""
    stop_after: float
    """Seconds without a bridge after which OpenCode is ended."""
    guard: str
    """Path of the lock that a guard holds while it lives."""
    hold_input: bool = False
    """True if OpenCode gets a standard input that is open as long as the guard lives; otherwise it gets none."""
    before_end: Sequence[str] = ()
    """Command that is run before OpenCode is ended because no bridge uses it; empty for none."""
    data_lock: str = ""
    """Path of the lock on OpenCode's data; empty for none."""
    state: str = ""
    """State folder of the bridge; the lock names it to the bridges of other state folders."""
    process: tuple[int, str] | None = None
    """Process id and birth of an OpenCode that runs already. The guard then starts nothing and sends no answers."""


class WatchedProcess(Protocol):
    """Process that a guard watches."""

    @property
    def pid(self) -> int:
        """Return the process id; the process leads a group."""
        ...

    def wait(self, timeout: float) -> int:
        """Wait until the process has ended; raise ``TimeoutExpired`` if it still runs."""
        ...


class AdoptedProcess:
    """OpenCode process that another guard started.

    Args:
        pid: Its process id.
        birth: Distinguishes it from a later process with the same id.
    """

    def __init__(self, pid: int, birth: str) -> None:
        self.pid = pid
        self._birth = birth

    def wait(self, timeout: float) -> int:
        """Wait until the process has ended. Only a parent learns the exit code, so the result is always 0."""
        deadline = time.monotonic() + timeout
        while born(self.pid) == self._birth:
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(min(ADOPTED_POLL_SECONDS, left))
        return 0


def main() -> None:
    """Execute the plan on stdin; returns when OpenCode has ended."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    if plan.process:
        if lock := _only_guard(plan):
            _watch(AdoptedProcess(*plan.process), plan, lock)
        return
    try:
        with data_lock.held(plan.data_lock, plan.state) as unlocked:
            _serve(plan, unlocked)
    except data_lock.DataInUse as refused:
        _answer(**{HOLDER: refused.holder})


def _serve(plan: Plan, unlocked: str) -> None:
    """Start OpenCode and watch it until it has ended.

    Args:
        plan: The plan.
        unlocked: Why the lock on its data cannot be held; empty if it is held, or is not needed.
    """
    try:
        child = _start(plan)
    except OSError as error:
        _answer(error=error.strerror or str(error), file=error.filename)
        return
    _answer(pid=child.pid, born=born(child.pid), unlocked=unlocked)
    messages = _messages()
    if _next(messages) != KEEP:
        _end(child)
        _end_remaining_processes(plan)
        return
    code = _watch(child, plan)
    # A wrapper that moved to the background left a server without a record.
    if READY not in list(messages.queue):
        _end_remaining_processes(plan)
    _answer(code=code)


def _only_guard(plan: Plan) -> "FileLock | None":
    """Take the lock of the guards; ``None`` if another guard lives. A searching bridge holds it for a moment."""
    for _ in range(LOCK_ATTEMPTS):
        if lock := _guards_lock(plan):
            return lock
        time.sleep(SHORTEST_POLL_SECONDS)
    return None


def _guards_lock(plan: Plan) -> "FileLock | None":
    try:
        return try_lock(Path(plan.guard))
    except OSError:
        return None


def _start(plan: Plan) -> subprocess.Popen[bytes]:
    # The output goes to the guard's own stderr: a file, not a pipe, which would block when nobody reads it.
    return subprocess.Popen(  # noqa: S603 - the bridge's own command
        plan.command,
        stdin=subprocess.PIPE if plan.hold_input else subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        env=plan.environment,
        cwd=plan.directory,
        start_new_session=sys.platform != "win32",
        creationflags=FLAGS,
    )


def _answer(**fields: object) -> None:
    """Send an answer to the bridge, if it still reads."""
    with suppress(OSError):
        os.write(1, json.dumps(fields).encode() + b"\n")


def _messages() -> "queue.Queue[str]":
    """Return the queue of the bridge's messages; an empty text marks their end."""
    messages = queue.Queue[str]()

    def read() -> None:
        for line in sys.stdin:
            messages.put(line.strip())
        messages.put("")

    Thread(target=read, daemon=True).start()
    return messages


def _next(messages: "queue.Queue[str]") -> str:
    try:
        return messages.get(timeout=KEEP_TIMEOUT_SECONDS)
    except queue.Empty:
        return ""


def _watch(child: WatchedProcess, plan: Plan, lock: "FileLock | None" = None) -> int:
    """Wait until OpenCode has ended; end it when no bridge has used it for ``plan.stop_after`` seconds."""
    poll = max(SHORTEST_POLL_SECONDS, min(LONGEST_POLL_SECONDS, plan.stop_after / POLLS_UNTIL_END))
    used = time.monotonic()
    while True:
        # The guard of a server that ended a moment ago may still hold the lock.
        lock = lock or _guards_lock(plan)
        with suppress(subprocess.TimeoutExpired):
            return child.wait(poll)
        if _in_use(plan):
            used = time.monotonic()
        elif time.monotonic() - used >= plan.stop_after:
            _end_unless_used(child, plan)


def _in_use(plan: Plan) -> bool:
    try:
        lock = try_lock(Path(plan.lock))
        # Only a living bridge holds it.
        if lock is None:
            return True
        try:
            return any_lease_lives(Path(plan.leases))
        finally:
            lock.release()
    except OSError:
        # The state folder is gone, so no bridge can find OpenCode.
        return False


def _end_unless_used(child: WatchedProcess, plan: Plan) -> None:
    """End OpenCode while no bridge can start to use it."""
    try:
        lock = try_lock(Path(plan.lock))
    except OSError:
        _end(child)
        return
    if lock is None:
        return
    try:
        if not any_lease_lives(Path(plan.leases)):
            _prepare_end(plan)
            _end(child)
            Path(plan.record).unlink(missing_ok=True)
    finally:
        lock.release()


def _prepare_end(plan: Plan) -> None:
    """Run the command of the plan; OpenCode is ended whether or not it succeeds."""
    if plan.before_end:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - the bridge's own command
                plan.before_end,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=BEFORE_END_TIMEOUT_SECONDS,
                check=False,
                creationflags=FLAGS,
            )


def _end(child: WatchedProcess) -> None:
    if isinstance(child, subprocess.Popen) and child.stdin:
        # OpenCode ends by itself, also on Windows, which has no gentle way for others.
        child.stdin.close()
    else:
        ask_to_end(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    force_to_end(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)


def _end_remaining_processes(plan: Plan) -> None:
    """End the background processes of the start."""
    name, value = plan.mark
    for pid in started_with(name, value):
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


if __name__ == "__main__":
    main()

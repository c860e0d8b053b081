"""A small process between a bridge and OpenCode: it starts OpenCode, and ends it once no bridge has used it for long.

Some hosts end a bridge with everything below it. This process is started by one that exits at once, so neither it nor
OpenCode is anybody's child, and OpenCode outlives the bridge for the others. It speaks to the bridge that started it
over its standard streams, a line at a time; it answers into a file, which no end of the bridge can break:

1. The bridge sends the plan. The guard starts OpenCode and answers with its process, or with the reason why not.
2. The bridge has recorded the process and sends ``keep``; if it ends before, OpenCode is ended.
3. OpenCode answers, and the bridge sends ``ready``. If OpenCode ends, the guard tells its exit code.

Where a guard was killed, the next bridge that comes to use OpenCode, or the last that leaves it, starts another one,
which looks after the process that runs. A lock that a guard holds tells whether one lives.

It imports little, since it stays as long as OpenCode does. It knows nothing of HTTP.
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
from opencode_mcp.processes.groups import FLAGS, ask_to_end, force_to_end
from opencode_mcp.processes.table import born, started_with

if TYPE_CHECKING:
    from filelock import FileLock

KEEP = "keep"
READY = "ready"
KEEP_TIMEOUT = 30.0
GRACE = 5.0
SHORTEST_POLL = 0.2
LONGEST_POLL = 30.0
ADOPTED_POLL = 1.0
TRIES = 5
POLLS = 10
"""How often it looks during the time that OpenCode may stay without a bridge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to start, and when to end it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    lock: str
    """Held while the guard looks for bridges."""
    leases: str
    record: str
    mark: Sequence[str]
    """The name and value of a variable that only this start has in its environment."""
    stop_after: float
    """Seconds without a bridge after which OpenCode is ended."""
    guard: str
    """Held for as long as a guard lives."""
    process: tuple[int, str] | None = None
    """The id and the birth of an OpenCode that runs already; then nothing is started, and nobody is answered."""


class Looked(Protocol):
    """A process that a guard looks after."""

    @property
    def pid(self) -> int:
        """Its id; it leads a group."""
        ...

    def wait(self, timeout: float) -> int:
        """Wait until it has ended; ``TimeoutExpired`` says that it runs."""
        ...


class Adopted:
    """An OpenCode that another guard has started.

    Args:
        pid: Its id.
        birth: Tells it from a later process of the same id.
    """

    def __init__(self, pid: int, birth: str) -> None:
        self.pid = pid
        self._birth = birth

    def wait(self, timeout: float) -> int:
        """Wait until it has ended; only a parent learns its exit code."""
        deadline = time.monotonic() + timeout
        while born(self.pid) == self._birth:
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(min(ADOPTED_POLL, left))
        return 0


def main() -> None:
    """Do what the plan on stdin says; returns when OpenCode has ended."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    if plan.process:
        if lock := _only_guard(plan):
            _watch(Adopted(*plan.process), plan, lock)
        return
    try:
        child = _start(plan)
    except OSError as error:
        _tell(error=error.strerror or str(error), file=error.filename)
        return
    _tell(pid=child.pid, born=born(child.pid))
    words = _words()
    if _next(words) != KEEP:
        _end(child)
        _end_what_is_left(plan)
        return
    code = _watch(child, plan)
    # A wrapper that went to the background has left a server of which nobody knows.
    if READY not in list(words.queue):
        _end_what_is_left(plan)
    _tell(code=code)


def _only_guard(plan: Plan) -> "FileLock | None":
    """The guards' lock; ``None`` where another guard lives. A bridge that looks holds it for a moment."""
    for _ in range(TRIES):
        if lock := _guards_lock(plan):
            return lock
        time.sleep(SHORTEST_POLL)
    return None


def _guards_lock(plan: Plan) -> "FileLock | None":
    try:
        return try_lock(Path(plan.guard))
    except OSError:
        return None


def _start(plan: Plan) -> subprocess.Popen[bytes]:
    # What it prints goes to the guard's own stderr: a file, never a pipe, which would block once nobody reads it.
    return subprocess.Popen(  # noqa: S603 - the bridge's own command
        plan.command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        env=plan.environment,
        cwd=plan.directory,
        start_new_session=sys.platform != "win32",
        creationflags=FLAGS,
    )


def _tell(**said: object) -> None:
    """Tell the bridge, if it still listens."""
    with suppress(OSError):
        os.write(1, json.dumps(said).encode() + b"\n")


def _words() -> "queue.Queue[str]":
    """What the bridge says, as it comes; an empty text when it says no more."""
    words = queue.Queue[str]()

    def read() -> None:
        for line in sys.stdin:
            words.put(line.strip())
        words.put("")

    Thread(target=read, daemon=True).start()
    return words


def _next(words: "queue.Queue[str]") -> str:
    try:
        return words.get(timeout=KEEP_TIMEOUT)
    except queue.Empty:
        return ""


def _watch(child: Looked, plan: Plan, lock: "FileLock | None" = None) -> int:
    """Wait until OpenCode has ended; end it when no bridge has used it for as long as the plan says."""
    poll = max(SHORTEST_POLL, min(LONGEST_POLL, plan.stop_after / POLLS))
    used = time.monotonic()
    while True:
        # The guard of a server that ended a moment ago may hold it still.
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
        # Whoever holds it is a bridge that lives.
        if lock is None:
            return True
        try:
            return any_lease_lives(Path(plan.leases))
        finally:
            lock.release()
    except OSError:
        # The state folder is gone, and with it every way to find OpenCode.
        return False


def _end_unless_used(child: Looked, plan: Plan) -> None:
    """End OpenCode while no bridge can come to use it."""
    try:
        lock = try_lock(Path(plan.lock))
    except OSError:
        _end(child)
        return
    if lock is None:
        return
    try:
        if not any_lease_lives(Path(plan.leases)):
            _end(child)
            Path(plan.record).unlink(missing_ok=True)
    finally:
        lock.release()


def _end(child: Looked) -> None:
    ask_to_end(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    force_to_end(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)


def _end_what_is_left(plan: Plan) -> None:
    """End what the start left in the background."""
    name, value = plan.mark
    for pid in started_with(name, value):
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


if __name__ == "__main__":
    main()

"""Batches and their tasks, as the queue keeps them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

QueueStatus = Literal["queued", "starting", "running", "needs_input", "completed", "failed", "aborted"]
"""Status of a task. ``starting``: a bridge has claimed it, and its prompt was not sent yet."""
AT_WORK = ("starting", "running")
"""Statuses of tasks that take a place. One that waits for an answer takes none, since that may take all night."""
CLAIMED = (*AT_WORK, "needs_input")
"""Statuses of tasks that a bridge looks after."""
UNFINISHED = ("queued", *CLAIMED)
PREFIX = "bat_"
"""Beginning of a batch's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """Task of a new batch."""

    arguments: Mapping[str, Any]
    """The order of its run, as JSON data."""
    words: str
    """Title or first words of the prompt, by which a reader knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """Batch that is to be queued."""

    scope: str
    """Digest of everything that decides what its runs may do; only bridges with the same one start them."""
    starter: str
    """Starter of its runs: ``agent`` or ``person``."""
    parallel: int
    """Most tasks of it at once."""
    max_cost: float | None
    """US dollars at which no further task is started, and those that run are stopped."""
    tasks: tuple[NewTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """End of a task."""

    status: QueueStatus
    note: str = ""
    """Error of the run, or the reason why it did not run."""
    files: int = 0
    added: int = 0
    removed: int = 0
    """Changed files, and lines; no lines if those of a file are not known."""
    names: str = ""
    """Paths of the files, one on each line, if they are few."""
    cost: float = 0
    """US dollars."""
    seconds: float = 0
    verified: str = ""
    """Result of the verification; empty if there was none."""
    answer: str = ""
    """Beginning of the answer, on one line; empty if the task has not completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Task of a batch."""

    batch: str
    number: int
    """Place in the batch, from 1."""
    status: QueueStatus
    arguments: str
    """The order of its run as JSON; empty once the task has ended."""
    words: str
    session_id: str
    message_id: str
    owner: str
    """Lease of the bridge that looks after it; empty while it is queued."""
    attempts: int
    """Number of times that it was claimed."""
    stop: bool
    """True if it is to be stopped before its prompt is sent."""
    note: str
    files: int
    added: int
    removed: int
    names: str
    """Paths of the changed files, one on each line, if they are few."""
    cost: float
    seconds: float
    verified: str
    answer: str
    """Beginning of the answer, on one line."""
    starter: str
    """Starter of the run: ``agent`` or ``person``."""
    batch_max_cost: float | None
    """Limit of the whole batch, in US dollars."""

    @property
    def id(self) -> str:
        """Return the id by which tools name the task."""
        return f"{self.batch}.{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Batch with its tasks, in their order."""

    id: str
    created: float
    """Time in seconds since 1970."""
    parallel: int
    max_cost: float | None
    tasks: tuple[Task, ...]
    ahead: int
    """Queued tasks of earlier batches of the same scope."""

    @property
    def is_over(self) -> bool:
        """Return True if every task has ended."""
        return all(task.status not in UNFINISHED for task in self.tasks)

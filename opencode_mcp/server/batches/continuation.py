"""Continuation of a task whose OpenCode ended in the middle of its work: a further prompt in the same session.

The task is queued again with an order of its own. Its first prompt is in the session, so it is not sent again. What the
work before has cost and changed is kept with the order, since the report of the last prompt does not have it. The order
has what is left of the limits: those of a task hold for all its prompts together.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from opencode_mcp.runs.outcome.reported_files import NOT_SHOWN
from opencode_mcp.server.new_runs.run_orders import RunOrder

if TYPE_CHECKING:
    from opencode_mcp.batch_queue.tasks import Task
    from opencode_mcp.runs.limits import Limits
    from opencode_mcp.runs.outcome.run_report import ChangedFile, RunReport

DONE_KEY = "done"
"""Key of the work before in a stored order."""
GO_ON = (
    "OpenCode ended in the middle of the work on the prompt above, and was started again. Check what is done already, "
    "then finish the rest."
)
ONLY_FIRST: Mapping[str, Any] = {"directory": "", "files": [], "title": "", "isolate": False, "base": ""}
"""Fields of an order that are for the first prompt of a session alone, as they are in that of a later one."""
OWN = frozenset({"this", "shared"})
"""Changes that are the run's."""


@dataclass(frozen=True, slots=True)
class Done:
    """Work on a task, from one prompt or several."""

    cost: float = 0
    """US dollars."""
    seconds: float = 0
    files: Mapping[str, Sequence[int]] = field(default_factory=dict[str, "Sequence[int]"])
    """Numbers of lines that were added and removed, by file; empty if they are not known: the file has no diff."""

    @property
    def lines(self) -> Sequence[int]:
        """Return the numbers of all lines that were added and removed; 0 if those of a file are not known."""
        if not all(self.files.values()):
            return 0, 0
        return sum(added for added, _ in self.files.values()), sum(removed for _, removed in self.files.values())

    def with_run(self, report: "RunReport") -> "Done":
        """Return this work and that of a run together."""
        lines = dict(self.files)
        for file in report.files:
            if file.whose in OWN:
                lines[file.path] = _with_lines_of(file, lines.get(file.path, (0, 0)))
        return Done(self.cost + report.cost, self.seconds + report.seconds, lines)


def _with_lines_of(file: "ChangedFile", before: Sequence[int]) -> Sequence[int]:
    """Return the lines of a file that were added and removed before and now."""
    if not before or file.change == NOT_SHOWN:
        return ()
    added, removed = before
    return added + file.added, removed + file.removed


def done_before(task: "Task") -> Done:
    """Return the work on a task before its present prompt."""
    stored = cast("Mapping[str, Any]", json.loads(task.arguments))
    return Done(**stored.get(DONE_KEY, {}))


def used_up(limits: "Limits") -> str:
    """Return why a task with limits does not go on."""
    reached = " ".join(f"{name}={value:g}" for name, value in limits.as_data().items())
    return f"OpenCode ended in the middle of the work, which does not go on: its limits are used up ({reached})."


def order_to_go_on(task: "Task", report: "RunReport", left: "Limits") -> str:
    """Return the order, as JSON, with which a task goes on after a run that did not end.

    Args:
        task: The task.
        report: Report of the run.
        left: Limits for the rest of the work.
    """
    order = RunOrder.read(task.arguments)
    further = replace(order, prompt=GO_ON, session_id=report.session_id, **ONLY_FIRST, **asdict(left))
    return json.dumps(asdict(further) | {DONE_KEY: asdict(done_before(task).with_run(report))})

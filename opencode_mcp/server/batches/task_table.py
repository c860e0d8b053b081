"""Table of a batch: a line for each task, totals, and the next step."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from opencode_mcp.server.results.amounts import DATA_DIGITS
from opencode_mcp.server.results.render import result, without_tools
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.results.worktree_base_text import base_note
from opencode_mcp.text.durations import duration
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from opencode_mcp.batch_queue.tasks import Batch, Task
    from opencode_mcp.isolation.worktree_records import Worktree

ORDER = ("needs_input", "running", "queued", "failed", "aborted", "completed")
"""Statuses by what the caller has to do first."""
SHOWN_STATUS = {"starting": "running"}
NAMES_SHOWN = 3
MOST_WITH_ANSWERS = 10
"""Most tasks of a table that shows how their answers begin."""
MODEL = re.compile(r" \([^\s()]+/[^\s()]+\)$")
"""Model at the end of a task's words."""


def table_result(
    batch: "Batch",
    tasks: "Sequence[Task]",
    unlisted_tools: "Collection[str]",
    worktrees: "Mapping[str, Worktree]",
    note: str = "",
) -> CallToolResult:
    """Return the table of some tasks of a batch as a tool's result.

    Args:
        batch: The batch.
        tasks: The tasks to show.
        unlisted_tools: Tools that the next step does not name.
        worktrees: The isolated worktrees that are there, by the ids of their sessions.
        note: Text to put before the table.
    """
    places = places_of(batch)
    step = without_tools(_next_step(batch, tasks, worktrees), unlisted_tools)
    tasks = tasks if len(tasks) <= MOST_WITH_ANSWERS else [replace(task, answer="") for task in tasks]
    lines = [_line(task, places.get(task.number, 0), worktrees.get(task.session_id)) for task in tasks]
    ids = f"Each line begins with the number of its task, whose id is {batch.id}.NUMBER:"
    base = _base_note(tasks, worktrees)
    text = "\n".join(filter(None, [note, shown(headline(batch, tasks)), ids, *lines, base, f"Next: {step}"]))
    notes = " ".join(filter(None, [note, base]))
    data: dict[str, Any] = {
        "status": overall(tasks),
        "batch_id": batch.id,
        "tasks": [_data(task, places.get(task.number, 0), worktrees.get(task.session_id)) for task in tasks],
        "totals": _totals(tasks),
        "next": step,
    }
    return result(text, data | ({"note": notes} if notes else {}), is_shown=True)


def _base_note(tasks: "Sequence[Task]", worktrees: "Mapping[str, Worktree]") -> str:
    """Return a sentence on the uncommitted files that the worktrees of tasks began without; empty if there were none.

    The tasks begin one after the other, and the person may change files meanwhile: the largest number counts.
    """
    known = [worktrees[task.session_id] for task in tasks if task.session_id in worktrees]
    without = max((worktree.uncommitted for worktree in known), default=0)
    return base_note("The isolated tasks", without, is_remote=any(worktree.is_remote for worktree in known))


def places_of(batch: "Batch") -> dict[int, int]:
    """Return the place in the queue of each queued task of a batch, from 1, by the task's number."""
    queued = [task.number for task in batch.tasks if task.status == "queued"]
    return {number: batch.ahead + place for place, number in enumerate(queued, 1)}


def status_of(task: "Task") -> str:
    """Return the status of a task as callers know it."""
    return SHOWN_STATUS.get(task.status, task.status)


def overall(tasks: "Sequence[Task]") -> str:
    """Return the status of several tasks: the one that the caller has to act on first."""
    first = min((status_of(task) for task in tasks), key=ORDER.index)
    return "running" if first == "queued" else first


def counts_of(tasks: "Sequence[Task]") -> dict[str, int]:
    """Return the number of tasks of each status that some have."""
    statuses = [status_of(task) for task in tasks]
    return {status: statuses.count(status) for status in reversed(ORDER) if status in statuses}


def headline(batch: "Batch", tasks: "Sequence[Task]") -> str:
    """Return a line on a batch as a whole."""
    counts = ", ".join(f"{count} {status}" for status, count in counts_of(tasks).items())
    return f"Batch {batch.id} · {counts} · {money(sum(task.cost for task in tasks))}"


def task_line(task: "Task") -> str:
    """Return a line on a task that has ended, for progress."""
    return f"{task.id} {status_of(task)}: {one_line(task.words)}"


def _changed_files(task: "Task") -> str:
    """Return the files that a task changed, with the numbers of lines if they are known; empty if there are none."""
    if not task.files:
        return ""
    names = ", ".join(task.names.splitlines()) or quantity(task.files, "file")
    return f"{names} +{task.added} -{task.removed}" if task.added or task.removed else names


def _isolation(worktree: "Worktree | None") -> str:
    """Return that a task has an isolated worktree, and whether its work was brought back; empty if it has none."""
    if worktree is None:
        return ""
    return "isolated, brought back" if worktree.is_brought else "isolated"


def _line(task: "Task", place: int, worktree: "Worktree | None") -> str:
    facts = [
        str(task.number),
        f"{status_of(task)} at place {place}" if place else status_of(task),
        f"verified: {task.verified}" if task.verified else "",
        task.session_id or task.id,
        _isolation(worktree),
        _changed_files(task),
        money(task.cost) if task.cost else "",
        duration(task.seconds) if task.seconds else "",
        one_line(task.words),
        f'answer "{one_line(task.answer)}"' if task.answer else "",
        one_line(task.note),
    ]
    return shown(" · ".join(filter(None, facts)))


def _data(task: "Task", place: int, worktree: "Worktree | None") -> dict[str, Any]:
    facts: dict[str, Any] = {
        "place": place,
        "session_id": task.session_id,
        "verified": task.verified,
        "files": task.files,
        "file_names": task.names.splitlines(),
        "added": task.added,
        "removed": task.removed,
        "cost": round(task.cost, DATA_DIGITS),
        "seconds": round(task.seconds, 3),
        "answer": task.answer,
        "note": task.note,
        "brought_back": worktree is not None and worktree.is_brought,
    }
    known = {name: value for name, value in facts.items() if value}
    return {"id": task.id, "status": status_of(task), "task": task.words} | known


def _totals(tasks: "Sequence[Task]") -> dict[str, Any]:
    return counts_of(tasks) | {
        "files": sum(task.files for task in tasks),
        "added": sum(task.added for task in tasks),
        "removed": sum(task.removed for task in tasks),
        "cost": round(sum(task.cost for task in tasks), DATA_DIGITS),
    }


def _next_step(batch: "Batch", tasks: "Sequence[Task]", worktrees: "Mapping[str, Worktree]") -> str:
    asking = [task.session_id for task in tasks if task.status == "needs_input"]
    steps: list[str] = []
    if asking:
        names = " and ".join(asking[:NAMES_SHOWN])
        steps.append(f'{names} ask something: opencode_wait(session_id="{asking[0]}") shows what.')
    if any(task.status in {"queued", "starting", "running"} for task in tasks):
        steps.append(f'It goes on by itself. Wait on with opencode_wait(session_id="{batch.id}").')
        steps.append(f'opencode_abort(session_id="{batch.id}") stops it.')
    return " ".join(steps) or _last_step(tasks, worktrees)


def _last_step(tasks: "Sequence[Task]", worktrees: "Mapping[str, Worktree]") -> str:
    done = [task.session_id for task in tasks if task.status == "completed" and task.session_id]
    isolated = [task for task in tasks if task.session_id in done and task.session_id in worktrees]
    reads = "opencode_wait with the session id of a task reports it in full."
    return " ".join(filter(None, [reads, _diff_step(done, tasks), _integration(isolated, worktrees)]))


def _diff_step(done: "Sequence[str]", tasks: "Sequence[Task]") -> str:
    """Return a sentence on how to see the changes of a completed task; if all tried one prompt, beside another's."""
    changed = [task.session_id for task in tasks if task.session_id in done and task.files]
    if not changed:
        return ""
    if len(done) > 1 and _is_one_prompt(tasks):
        call = f'opencode_diff(session_id="{done[0]}", compare_with="{done[1]}")'
        return f"{call} shows the changes of one beside another."
    return f'opencode_diff(session_id="{changed[0]}") shows the changes of one.'


def _integration(isolated: "Sequence[Task]", worktrees: "Mapping[str, Worktree]") -> str:
    """Return sentences on bringing isolated work back, as long as some was never brought."""
    if not isolated:
        return ""
    left = [task for task in isolated if not worktrees[task.session_id].is_brought]
    call = 'opencode_integrate(session_id="{}", how="{}")'
    stays = "removes its worktree, which stays until then."
    if not left:
        return f"The isolated work was brought back. {call.format(isolated[0].session_id, 'discard')} {stays}"
    if len(left) > 1 and _is_one_prompt(left):
        return f'opencode_integrate with the session id of the best one brings that back; how="discard" {stays}'
    first = next(filter(_is_good, left), left[0]).session_id
    if worktrees[first].is_remote:
        return f'{call.format(first, "merge")} says how to bring an isolated one back; how="discard" {stays}'
    return f'{call.format(first, "apply")} brings an isolated one back, one after the other; how="discard" {stays}'


def _is_good(task: "Task") -> bool:
    """Return True if a task has changed files, and no verification of them has failed."""
    return task.files > 0 and task.verified in {"", "passed"}


def _is_one_prompt(tasks: "Sequence[Task]") -> bool:
    """Return True if all tasks have the same words, as one prompt for several models has."""
    return len({MODEL.sub("", task.words) for task in tasks}) == 1

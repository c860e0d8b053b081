"""Work of isolated runs that was brought to a directory, as changes of the sessions that it comes from.

OpenCode does not know of it: git has written the files. The records of the worktrees do.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import to_thread

from opencode_mcp.diffs.authorship import Period, WriteCall
from opencode_mcp.isolation.worktree_records import Records, Worktree, undone_changes

OtherWork = Callable[[str, Period], Awaitable[list[WriteCall]]]
"""Returns what was changed in a directory in a period, without a session that works there, by the authors."""


async def no_other_work(directory: str, period: Period) -> list[WriteCall]:
    """Return nothing: there are no records of isolated worktrees."""
    del directory, period
    return []


def brought_back(records: Records) -> OtherWork:
    """Return a reader of what the records of isolated worktrees say."""

    async def read(directory: str, period: Period) -> list[WriteCall]:
        return await to_thread.run_sync(_read, records, directory, period)

    return read


def _read(records: Records, directory: str, period: Period) -> list[WriteCall]:
    project = os.path.realpath(directory)
    found = [one for one in records.all() if one.brought and os.path.realpath(one.project) == project]
    return [call for worktree in found for call in _calls_of(worktree) if call.period.overlaps(period)]


def _calls_of(worktree: Worktree) -> list[WriteCall]:
    undone = undone_changes(worktree.brought)
    return [
        WriteCall(
            session_id=worktree.session_id,
            title=brought.title,
            period=Period(brought.begin, brought.end),
            files=frozenset((Path(worktree.repository) / path).as_posix() for path in brought.paths),
            is_open=False,
            is_undone=number in undone,
        )
        for number, brought in enumerate(worktree.brought)
    ]

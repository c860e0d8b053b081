"""Removal of what a bridge that died has made for a prompt which OpenCode never got: a session, and a worktree."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.server.new_runs.run_orders import RunOrder

if TYPE_CHECKING:
    from opencode_mcp.batch_queue.tasks import Task
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

SESSIONS_SEARCHED = 100
CHECKS = 5
CHECK_PAUSE_SECONDS = 0.5
"""Seconds between two looks at a prompt that is about to begin."""


def place_name(task: "Task") -> str:
    """Return the beginning of the names of a task's worktree, by which it is found again."""
    return f"{task.batch.replace('_', '-')}-{task.number}"


async def remove_rest(bridge: "Bridge", task: "Task") -> None:
    """Remove the session and the worktree of a task whose prompt OpenCode certainly does not have.

    Raises:
        BridgeError: They cannot be found or removed.
    """
    order = RunOrder.read(task.arguments)
    if order.session_id:
        return  # Its session has an earlier prompt.
    worktrees = _worktrees_of(bridge, task) if order.isolate else []
    directories = [one.directory for one in worktrees] or [await bridge.fence.directory(order.directory)]
    for directory in directories:
        for session in await _sessions_of(bridge, task, directory):
            await delete_session(bridge, session)
    for worktree in worktrees:
        # The record is deleted, too: no session needs it.
        await bridge.worktrees.remove(replace(worktree, session_id=""))


def _worktrees_of(bridge: "Bridge", task: "Task") -> "list[Worktree]":
    return [one for one in bridge.worktrees.left() if one.name.startswith(f"{place_name(task)}-")]


async def _sessions_of(bridge: "Bridge", task: "Task", directory: str) -> "list[Session]":
    """Return the sessions of a directory that were created for the prompt of a task (``experimental.session.list``)."""
    if not task.message_id:
        return []
    wanted = SessionFilter(limit=SESSIONS_SEARCHED, archived=True)
    found = await bridge.client.all_sessions(wanted, directory)
    notes = bridge.runs.notes
    return [one for one in found.items if any(note.message_id == task.message_id for note in notes.of(one))]


async def withdraw_unstarted(bridge: "Bridge", session: "Session", message_id: str) -> bool:
    """Take back a prompt that OpenCode 2 has in its inbox and does not begin; return True if it does not begin.

    A bridge or an OpenCode that dies meanwhile can leave it so: nothing but the session's next prompt would begin it.
    The preview of OpenCode 2 cannot take it back, but to delete the session does the same.
    """
    for _ in range(CHECKS):
        waiting = await bridge.client.pending_prompts(session.id)
        if message_id not in waiting or session.id in await bridge.client.session_status(session.directory):
            return False
        await anyio.sleep(CHECK_PAUSE_SECONDS)
    taken = await bridge.client.withdraw_prompt(session.id, message_id)
    return taken or message_id in await bridge.client.pending_prompts(session.id)


async def delete_session(bridge: "Bridge", session: "Session") -> None:
    """Delete a session that has no prompt (``session.delete``); it may be deleted already."""
    with suppress(NotFound):
        await bridge.client.session_delete(session.id)
    bridge.fence.forget_session(session.id)


async def assign_worktree(bridge: "Bridge", session: "Session") -> None:
    """Record the session of an isolated worktree, if the bridge that made it has died before it did so."""
    try:
        worktree = bridge.worktrees.of(session.directory)
    except NotFound:
        return
    if not worktree.session_id:
        await bridge.worktrees.assign(worktree, session.id)

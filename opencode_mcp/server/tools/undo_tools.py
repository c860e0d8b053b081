"""Tools that undo a part of a session, or fork it from an earlier point."""

from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.diffs import git_diff_text
from opencode_mcp.errors import BackendFailed, InvalidArgument, SessionBusy
from opencode_mcp.runs import run_record
from opencode_mcp.runs.session_history import history, prompt_beginning
from opencode_mcp.server.access.execution.undo_checks import check_redo, check_undo
from opencode_mcp.server.access.operations_of_tools import REDO, UNDO
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.changes import isolated_changes_note, undo_conflicts, unseen_changes
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import CHANGES_TEXTS
from opencode_mcp.server.sessions.forking import refuse_if_uncopyable
from opencode_mcp.server.sessions.titles import shown_title, title_of
from opencode_mcp.server.tools.diff_tool import Changes, changes_result
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.call_deadlines import start_deadline_of, starting

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

SAME_FILES = "It works on the same files. Its cost and its changes count from here on."


@tool(
    title="Undo in a session",
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
    texts=CHANGES_TEXTS,
)
async def opencode_revert(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    message_id: Annotated[str, Field(description="Undo from it on; required unless restore")] = "",
    restore: Annotated[bool, Field(description="Bring back what was undone")] = False,
) -> CallToolResult:
    """Undo a session from a prompt on: its files become as before, later messages no longer count.

    Use it when work went wrong. It refuses if others changed files meanwhile. The next prompt makes it final.
    """
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        session = await bridge.fence.session(session_id)
    if restore == bool(message_id):
        raise await _no_point(bridge, session)
    if restore:
        return await _restore(bridge, session)
    return await _undo(bridge, session, message_id)


async def _no_point(bridge: Bridge, session: "Session") -> InvalidArgument:
    """Return the error for a call that names no point, or too much; it names the latest prompt."""
    latest = await run_record.latest_prompt(bridge.client, session.id)
    hint = "opencode_session shows the messages."
    if latest and not session.revert:
        words = prompt_beginning.prompt_beginning(latest)
        hint = f'The latest prompt is message_id="{latest.info.id}" ("{words}"). {hint}'
    return InvalidArgument("Give either message_id or restore=true.", hint=hint)


async def _undo(bridge: Bridge, session: "Session", message_id: str) -> CallToolResult:

    prompt = await history.prompt_of(bridge.client, session.id, message_id)
    await _refuse_if_busy(bridge, session)
    await check_undo(bridge.client, bridge.allowed, await bridge.operation_of(UNDO), session, prompt)
    if session.revert:
        # OpenCode first takes back the earlier undo.
        await undo_conflicts.refuse_redo_over_others(bridge, session)
    await undo_conflicts.refuse_harmful_undo(bridge, session, prompt)
    undone = (await bridge.client.session_revert(session.id, prompt)).revert
    if undone is None:
        raise BackendFailed(f"OpenCode did not undo {session.id} from {prompt} on.")
    note = (
        f"{session.id} is undone from {undone.message_id} on: its files are as they were before that prompt. "
        f"restore=true brings it back until the next prompt. {await _isolated_undo(bridge, session)}"
        f"{_what_changed(undone.diff)}"
    )
    return changes_result(Changes(git_diff_text.parse_raw(undone.diff), note))


async def _isolated_undo(bridge: Bridge, session: "Session") -> str:
    """Return sentences on what the undo of an isolated session leaves as it is; empty for others."""
    worktree = unseen_changes.worktree_of(bridge, session.directory)
    if worktree is None:
        return ""
    is_brought = await bridge.worktrees.is_brought(worktree)
    return f"{isolated_changes_note.undo_text(worktree, session.id, is_brought=is_brought)} "


def _what_changed(diff: str) -> str:
    return "The undo changed these files:" if diff else "The undo changed no file."


async def _restore(bridge: Bridge, session: "Session") -> CallToolResult:
    if session.revert is None:
        note = f"In {session.id} nothing is undone."
    else:
        await _refuse_if_busy(bridge, session)
        check_redo(bridge.allowed, await bridge.operation_of(REDO), session)
        await undo_conflicts.refuse_redo_over_others(bridge, session)
        await bridge.client.session_unrevert(session.id)
        note = f"{session.id} is restored from {session.revert.message_id} on, its files too."
    return result(note, {"files": [], "diff": "", "note": note})


async def _refuse_if_busy(bridge: Bridge, session: "Session") -> None:
    if session.id in await bridge.client.session_status(session.directory):
        raise SessionBusy(
            f"The session {session.id} is running.",
            hint="Wait for it with opencode_wait. opencode_abort stops it.",
        )


@tool(title="Fork a session", read_only=False, destructive=False, idempotent=False, open_world=False)
async def opencode_fork(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    message_id: Annotated[str, Field(description="Copy what comes before it; default all")] = "",
) -> CallToolResult:
    """Copy a session's conversation into a new one.

    Use it to try something else. The fork works on the same files.
    """
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        session = await bridge.fence.session(session_id)
    end = await _end_of_copy(bridge, session, message_id)
    await refuse_if_uncopyable(bridge, session.id, end)
    fork = await bridge.client.session_fork(session.id, end)
    data = {"session_id": fork.id, "title": title_of(fork), "forked_from": session.id}
    what = f"what was said before {end}" if end else "all that was said"
    undone = f" What is undone in {session.id} was not copied." if session.revert and end != message_id else ""
    step = f'Go on in it with opencode_run(session_id="{fork.id}", prompt=...).'
    text = f"{fork.id} ({shown_title(fork)}) holds {what} in {session.id}.{undone} {SAME_FILES} {step}"
    return result(text, data | {"next": step})


async def _end_of_copy(bridge: Bridge, session: "Session", message_id: str) -> str:
    """Return the message before which a copy ends; empty: all is copied. OpenCode would copy what is undone, too."""
    undone = session.revert.message_id if session.revert else ""
    if not message_id:
        return undone
    await history.prompt_of(bridge.client, session.id, message_id)
    return min(undone, message_id) if undone else message_id

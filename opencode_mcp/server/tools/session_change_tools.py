"""Tools that rename, archive and delete sessions. Only the one that deletes is marked as destructive."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.results.render import result
from opencode_mcp.server.sessions.session_deletion import stop_before_deletion
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.deadlines import deadlines_of, starting
from opencode_mcp.text.outside_text import one_line


@tool(
    title="Rename or archive",
    read_only=False,
    destructive=False,
    idempotent=True,
    open_world=False,
)
async def opencode_update_session(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    title: Annotated[str, Field(description="New title")] = "",
    archived: Annotated[bool | None, Field(description="Hide it from lists")] = None,
) -> CallToolResult:
    """Rename or archive a session.

    Use it to tidy up; nothing is lost.
    """
    if not title.strip() and archived is None:
        raise InvalidArgument("There is nothing to change.", hint="Give title, archived, or both.")
    bridge = bridge_of(ctx)
    async with starting(ctx, deadlines_of(ctx).start):
        await bridge.fence.session(session_id)
    done: list[str] = []
    async with bridge.runs.alone_in(session_id):
        session = await bridge.client.session_get(session_id)
        if archived is not None:
            await bridge.client.session_archive(session, archived=archived)
            done.append("is archived: lists leave it out" if archived else "is in the lists again")
        if title.strip():
            await bridge.client.session_rename(session, one_line(title.strip()))
            done.append(f'is named "{one_line(title.strip())}" instead of "{one_line(session.title)}"')
    session = await bridge.client.session_get(session_id)
    data = {"session_id": session.id, "title": session.title, "archived": session.time.archived is not None}
    return result(f"{session.id} {' and '.join(done)}.", data)


@tool(
    title="Delete a session",
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
)
async def opencode_delete_session(ctx: BridgeContext, *, session_id: SessionId) -> CallToolResult:
    """Delete a session for good, with its subagents.

    Use it when asked to. Its file changes stay and can no longer be undone.
    """
    bridge = bridge_of(ctx)
    async with starting(ctx, deadlines_of(ctx).start):
        session = await bridge.fence.session(session_id)
    subagents = await stop_before_deletion(bridge, session)
    await bridge.client.session_delete(session.id)
    data = {"session_id": session.id, "title": session.title, "deleted": [session.id, *subagents]}
    own = f" with {len(subagents)} {'subagent' if len(subagents) == 1 else 'subagents'}" if subagents else ""
    text = (
        f"{session.id} ({one_line(session.title)}) is deleted{own}. Lost for good: the conversation, its cost of "
        f"${session.cost or 0:.4f} in opencode_cost, and the way to undo its changes. The files stay as they are."
    )
    return result(text, data)

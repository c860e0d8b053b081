"""Finding sessions and reading them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.render import result
from opencode_mcp.server.schemas import SESSIONS
from opencode_mcp.server.tool import tool

if TYPE_CHECKING:
    from opencode_mcp.opencode.models import Session

PAGES_SEARCHED = 10


@tool(
    title="List sessions",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=SESSIONS,
)
async def opencode_list_sessions(
    ctx: BridgeContext,
    *,
    search: Annotated[str, Field(description="Words of the title")] = "",
    directory: Annotated[str, Field(description="Only of this project; empty: of all that are allowed")] = "",
    roots_only: Annotated[bool, Field(description="Leave out the sessions of subagents")] = True,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Annotated[str, Field(description="From the page before")] = "",
) -> CallToolResult:
    """List OpenCode's sessions, the latest first, with what each is doing.

    Use it to find a session to go on in, to wait for or to read.
    """
    bridge = bridge_of(ctx)
    only = await bridge.fence.directory(directory) if directory else ""
    query = {"search": search or None, "roots": roots_only or None, "limit": limit}
    found, cursor = await _collect(bridge, query, only, limit, cursor)
    busy = await _busy(bridge, {session.directory for session in found})
    rows = [_row(session, busy.get(session.id, "idle")) for session in found]
    lines = [
        f"{row['session_id']} · {row['status']} · {row['updated']} · {row['title']} · {row['directory']}"
        for row in rows
    ]
    more = f'More with cursor="{cursor}".' if cursor else ""
    text = "\n".join([*(lines or ["No session fits."]), more]).strip()
    return result(text, {"sessions": rows, "cursor": cursor})


async def _collect(
    bridge: Bridge, query: dict[str, Any], only: str, limit: int, cursor: str
) -> "tuple[list[Session], str]":
    """Read pages until enough sessions are inside the fence: OpenCode lists those of every directory."""
    found: list[Session] = []
    for _ in range(PAGES_SEARCHED):
        page = await bridge.client.all_sessions(query | {"cursor": cursor or None})
        found += [session for session in page.items if await _wanted(bridge, session, only)]
        cursor = page.cursor
        if not cursor or len(found) >= limit:
            break
    return found, cursor


async def _wanted(bridge: Bridge, session: "Session", only: str) -> bool:
    return session.directory == only if only else await bridge.fence.allows(session.directory)


async def _busy(bridge: Bridge, directories: set[str]) -> dict[str, str]:
    status: dict[str, str] = {}
    for directory in sorted(directories):
        for session_id, state in (await bridge.client.session_status(directory)).items():
            status[session_id] = state.type
    return status


def _row(session: "Session", status: str) -> dict[str, str]:
    updated = datetime.fromtimestamp(session.time.updated / 1000, UTC).isoformat(timespec="seconds")
    return {
        "session_id": session.id,
        "title": session.title,
        "status": status,
        "directory": session.directory,
        "updated": updated,
    }

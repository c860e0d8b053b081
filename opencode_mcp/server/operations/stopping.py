"""``session.abort`` as a caller expects it: the subagents stop too, and before the session that they work for."""

from opencode_mcp.server.operations.plain import send
from opencode_mcp.server.operations.request import Outcome, Request

SECONDS = 10.0


async def abort_tree(request: Request) -> Outcome:
    """Stop a session with its subagents, then give OpenCode's own answer."""
    from opencode_mcp.runs.stopping import Tree

    client = request.bridge.client
    session = await client.session_get(request.call.path["sessionID"])
    busy = await Tree(client, session.id, session.directory).stop(SECONDS)
    outcome = await send(request)
    if busy:
        outcome.notes.append(f"Still busy: {', '.join(busy)}. Call it again.")
    return outcome

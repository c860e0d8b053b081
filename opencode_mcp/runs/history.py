"""What happened in a session from its first message on."""

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import FileDiff
from opencode_mcp.runs.merged_diff import merge_diffs

MESSAGES_A_PAGE = 100


async def session_changes(client: OpenCodeClient, session_id: str, message_id: str = "") -> list[FileDiff]:
    """What one prompt changed, or the whole session (``session.diff`` for each of its prompts).

    Args:
        client: Reaches OpenCode.
        session_id: The session.
        message_id: The prompt's message; empty: all prompts, put together.
    """
    prompts = [message_id] if message_id else await _changing_prompts(client, session_id)
    return merge_diffs([await client.session_diff(session_id, prompt) for prompt in prompts])


async def _changing_prompts(client: OpenCodeClient, session_id: str) -> list[str]:
    """The prompts whose answers changed files, oldest first: only a few of a long session did."""
    changing: dict[str, None] = {}
    cursor = ""
    while True:
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            if any(part.type == "patch" for part in message.parts) and message.info.parent_id:
                changing[message.info.parent_id] = None
        cursor = page.cursor
        if not cursor:
            return list(reversed(changing))

"""Check of a fork before OpenCode is asked for it."""

from typing import TYPE_CHECKING

from opencode_mcp.errors import BackendFailed
from opencode_mcp.runs.session_history import history

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge


async def refuse_if_uncopyable(bridge: "Bridge", session_id: str, end: str) -> None:
    """Refuse a fork that OpenCode would begin, and then not finish: its half-made copy would stay.

    Args:
        bridge: Reaches OpenCode.
        session_id: The session.
        end: Message from which on nothing is copied; empty: all is copied.

    Raises:
        BackendFailed: It has a prompt that OpenCode cannot copy.
    """
    if not (await bridge.client.features()).output_schemas:
        return
    prompt = await history.uncopyable_prompt(bridge.client, session_id, end)
    if prompt:
        raise BackendFailed(
            f"Nothing was forked: OpenCode 1.18 cannot copy the prompt {prompt}, which asked for a structured answer.",
            hint=f"Fork before it, with message_id={prompt!r} or an earlier one.",
        )

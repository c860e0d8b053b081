"""Tool calls that OpenCode was ended in: it keeps them as running, also when their session is idle."""

from collections.abc import Iterable, Sequence

from opencode_mcp.markdown.detail_level import CUT_OFF
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import Part, ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session


async def idle_sessions(client: OpenCodeClient, session: Session, messages: Iterable[Message]) -> frozenset[str]:
    """Return those sessions of some messages that have a call without a result, and do no work.

    These are a session and its subagents (``session.status``; for a shell line of a person's that OpenCode 2 does not
    count as work ``shell.list``). Nothing is read if each call has a result.
    """
    open_calls = {call.session_id for message in messages for call in message.tool_calls if not call.has_ended}
    if not open_calls:
        return frozenset()
    idle = open_calls - set(await client.session_status(session.directory))
    if session.id in idle and await client.running_shell(session.id, session.directory):
        idle.remove(session.id)
    return frozenset(idle)


def with_cut_off(messages: Sequence[Message], idle: frozenset[str]) -> list[Message]:
    """Return messages in which the calls without a result have the status ``CUT_OFF`` if their session is idle."""
    return [
        message.model_copy(update={"parts": [_marked(part, idle) for part in message.parts]}) for message in messages
    ]


def _marked(part: Part, idle: frozenset[str]) -> Part:
    if not isinstance(part, ToolPart) or part.session_id not in idle or part.has_ended:
        return part
    return part.model_copy(update={"state": part.state.model_copy(update={"status": CUT_OFF})})

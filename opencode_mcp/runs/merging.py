"""Whether OpenCode answered a prompt together with another one that reached the session at the same time.

Pure, but for the one read: a terminal, or a bridge with another state directory, is held off by no lock of ours.
"""

from collections.abc import Sequence

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import Message
from opencode_mcp.runs.record import MESSAGES_A_PAGE, Run, is_prompt

TOGETHER = 10_000
"""Milliseconds within which two prompts without an answer between them were sent together."""


async def read_merged(client: OpenCodeClient, run: Run) -> list[str]:
    """The prompts that were answered together with a run's (``session.messages``).

    Raises:
        BackendError: OpenCode could not be read.
    """
    page = await client.session_messages(run.session_id, limit=MESSAGES_A_PAGE)
    return merged_with(page.items, run.message_id)


def merged_with(messages: Sequence[Message], message_id: str) -> list[str]:
    """The ids of the prompts next to one that shared its answer.

    Args:
        messages: Of one session, oldest first.
        message_id: The prompt; nothing is merged with one that is not among them.
    """
    places = [place for place, message in enumerate(messages) if is_prompt(message)]
    own = next((number for number, place in enumerate(places) if messages[place].info.id == message_id), None)
    if own is None:
        return []
    first = last = own
    while first > 0 and _were_together(messages[places[first - 1] : places[first] + 1]):
        first -= 1
    while last + 1 < len(places) and _were_together(messages[places[last] : places[last + 1] + 1]):
        last += 1
    return [messages[place].info.id for place in places[first : last + 1] if messages[place].info.id != message_id]


def _were_together(stretch: Sequence[Message]) -> bool:
    """Whether the last message of a stretch, a prompt, came before the first one, another prompt, was answered."""
    earlier, *between, later = stretch
    answers = [message.info for message in between if message.info.role == "assistant"]
    if not answers:
        return later.info.time.created - earlier.info.time.created < TOGETHER
    completed = answers[-1].time.completed
    return completed is not None and completed > later.info.time.created

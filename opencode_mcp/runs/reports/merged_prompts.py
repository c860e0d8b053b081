"""Finds the prompts that OpenCode answered together with a run's.

It merges prompts that reach a session at the same time. A terminal, or a bridge with another state folder, can send
one, since no lock of this bridge keeps them out. Pure, but for the one read.
"""

from collections.abc import Sequence

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.run_record import MESSAGES_A_PAGE, Run, is_prompt

TOGETHER_MS = 10_000
"""Time within which two prompts without an answer between them were sent together."""


async def read_merged(client: OpenCodeClient, run: Run) -> list[str]:
    """Return the prompts that were answered together with a run's (``session.messages``).

    Raises:
        BackendError: OpenCode could not be read.
    """
    page = await client.session_messages(run.session_id, limit=MESSAGES_A_PAGE)
    return merged_with(page.items, run.message_id)


def merged_with(messages: Sequence[Message], message_id: str) -> list[str]:
    """Return the ids of the prompts next to one that shared its answer.

    Args:
        messages: Of one session, oldest first.
        message_id: The prompt; nothing is merged with one that is not among them.
    """
    for group in _groups(messages):
        if message_id in group:
            return [prompt for prompt in group if prompt != message_id]
    return []


def _groups(messages: Sequence[Message]) -> list[list[str]]:
    """Return the ids of all prompts, in groups that share an answer."""
    groups: list[list[str]] = []
    latest = 0
    for index, message in enumerate(messages):
        if not is_prompt(message):
            continue
        if groups and _were_together(messages[latest : index + 1]):
            groups[-1].append(message.info.id)
        else:
            groups.append([message.info.id])
        latest = index
    return groups


def _were_together(stretch: Sequence[Message]) -> bool:
    """Return True if the last message of a stretch, a prompt, came before its first one, a prompt too, was answered."""
    earlier, *between, later = stretch
    if later.info.joined:
        return True
    answers = [message.info for message in between if message.info.role == "assistant"]
    if not answers:
        return later.info.time.created - earlier.info.time.created < TOGETHER_MS
    completed = answers[-1].time.completed
    return completed is not None and completed > later.info.time.created

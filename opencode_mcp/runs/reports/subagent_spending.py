"""Reads what the subagents of one run spent, with theirs, by the definition of ``runs/session_history/spending.py``."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import read_each
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history.spending import Spending, read_account
from opencode_mcp.runs.session_history.subagents import Subagents, read_subagents_of

logger = logging.getLogger(__name__)

READING_SECONDS = 5.0
"""Seconds in which the subagents are read."""


@dataclass(frozen=True, slots=True)
class SubagentSpending:
    """Spending of the subagents of one run."""

    spent: Spending = field(default_factory=Spending)
    number: int = 0
    """Number of the subagents."""
    is_whole: bool = True
    """False if some of them could not be read."""


async def read_subagent_spending(
    client: OpenCodeClient, session_id: str, answers: Sequence[Message]
) -> SubagentSpending:
    """Read what the subagents of a run spent (``session.children``); nothing is read if it started none.

    A subagent that an earlier run started spent for this one what its messages since then cost (``session.messages``).

    Args:
        client: Client of OpenCode.
        session_id: Session of the run.
        answers: The assistant's messages of the run.
    """
    started = {call.child_session for message in answers for call in message.tool_calls} - {""}
    if not started:
        return SubagentSpending()
    family, is_whole = await _family(client, session_id, started)
    since = answers[0].info.time.created
    reads = {session.id: partial(_spent_since, client, session, since) for session in family}
    found, failed = await read_each(reads, within=READING_SECONDS)
    spent = Spending.total(cast("dict[str, Spending]", found).values())
    return SubagentSpending(spent, len(family), is_whole and not failed)


async def _family(client: OpenCodeClient, session_id: str, started: set[str]) -> tuple[list[Session], bool]:
    """Return the subagents that still exist, with those below them, and whether all could be read."""
    try:
        children = await client.session_children(session_id)
    except BridgeError as error:
        logger.info("could not read the subagents of %s: %s", session_id, error)
        return [], False
    mine = [child for child in children if child.id in started]
    found, failed = await read_each(
        {child.id: partial(read_subagents_of, client, child) for child in mine}, within=READING_SECONDS
    )
    family = {child.id: child for child in mine}
    for name, below in cast("dict[str, Subagents]", found).items():
        family |= {session.id: session for session in below.below(name)}
    return list(family.values()), not failed


async def _spent_since(client: OpenCodeClient, session: Session, since: float) -> Spending:
    if session.time.created >= since:
        return Spending.counted(session)
    try:
        return (await read_account(client, session, since)).total
    except NotFound:
        return Spending()  # Deleted meanwhile.

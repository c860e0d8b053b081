"""Cost and tokens of the messages of a session, each counted once.

OpenCode 1 counts what a fork copied in the fork as well, and takes the cost of an undone prompt back when the next
prompt makes the undo final. OpenCode 2 counts a fork from its own beginning, keeps the cost of what was undone, and
adds that of the request for a title, which is in no message. Neither knows what a stopped or failed step cost.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode_mcp.runs.sessions import history

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.models import MessageInfo, Session


@dataclass(slots=True)
class Spending:
    """Cost in US dollars, and tokens."""

    cost: float = 0
    input: float = 0
    output: float = 0

    def add(self, other: "Spending") -> None:
        """Add another one to this."""
        self.cost += other.cost
        self.input += other.input
        self.output += other.output

    def subtract(self, other: "Spending") -> None:
        """Take another one away from this."""
        self.cost -= other.cost
        self.input -= other.input
        self.output -= other.output

    @classmethod
    def counted(cls, session: "Session") -> "Spending":
        """Return what OpenCode counts for a session; see ``Session.counts_copies``."""
        return cls(session.cost or 0, session.tokens.input, session.tokens.output)


@dataclass(frozen=True, slots=True)
class Step:
    """Cost of one step of the model."""

    time: float
    """Its beginning, in milliseconds since the epoch."""
    agent: str
    model: str
    """Model as ``provider/model``."""
    spending: Spending
    is_uncounted: bool
    """True if it was stopped or failed, so that OpenCode has no cost of it."""


async def steps_of(client: "OpenCodeClient", session: "Session", since: float = 0) -> list[Step]:
    """Return the steps of a session itself from a time on, in milliseconds since the epoch (``session.messages``).

    Steps that a fork copied are left out, and those of subagents are in sessions of their own.
    """
    steps: list[Step] = []
    async for message in history.own_messages(client, session):
        if message.info.time.created < since:
            break
        if message.info.role == "assistant":
            steps.append(_step(message.info))
    return steps


def _step(info: "MessageInfo") -> Step:
    tokens = info.tokens
    spending = Spending(info.cost, tokens.input, tokens.output)
    is_uncounted = info.error is not None and not info.cost and not tokens.input and not tokens.output
    return Step(info.time.created, info.agent, info.model, spending, is_uncounted)


async def own_spending(client: "OpenCodeClient", session: "Session") -> Spending:
    """Return what a session itself spent, without its subagents.

    Its messages are read only if it may be a fork, or if OpenCode is so old that sessions have no cost.
    """
    if session.cost is not None and not session.counts_copies:
        return Spending.counted(session)
    total = Spending()
    for step in await steps_of(client, session):
        total.add(step.spending)
    return total


async def with_own_spending(client: "OpenCodeClient", session: "Session") -> "Session":
    """Return a session whose cost and tokens are its own."""
    spent = await own_spending(client, session)
    tokens = session.tokens.model_copy(update={"input": spent.input, "output": spent.output})
    return session.model_copy(update={"cost": spent.cost, "tokens": tokens, "counts_copies": False})

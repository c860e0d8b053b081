"""Cost and tokens of a session: one definition for lists, for single sessions and for the cost of a period.

A session spent what the steps of its own messages cost, and what OpenCode counted beside them. OpenCode 2 counts the
requests for a title and keeps the cost of prompts that were undone; no message shows either. Subagents are sessions of
their own; ``subagents.py`` finds them.

OpenCode 1 counts what a fork copied in the fork as well, and takes the cost of an undone prompt back when the next
prompt makes the undo final. OpenCode 2 counts a fork from its own beginning. Neither knows what a stopped or failed
step cost. Both count a step a moment after its message shows it, so the larger of the two sums is right.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencode_mcp.runs.session_history import history
from opencode_mcp.runs.session_history.prompt_beginning import prompt_beginning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

LEAST_COST = 5e-7
"""US dollars below which a difference of two sums is a rounding error."""


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

    def beyond(self, other: "Spending") -> "Spending":
        """Return what this has more than another one; nothing is negative."""
        cost = self.cost - other.cost
        return Spending(
            cost if cost > LEAST_COST else 0, max(self.input - other.input, 0), max(self.output - other.output, 0)
        )

    @property
    def is_nothing(self) -> bool:
        """Return True if neither money nor tokens were spent."""
        return not (self.cost or self.input or self.output)

    @classmethod
    def counted(cls, session: "Session") -> "Spending":
        """Return what OpenCode counts for a session; see ``Session.counts_copies``."""
        return cls(session.cost or 0, session.tokens.input, session.tokens.output)

    @classmethod
    def total(cls, parts: "Iterable[Spending]") -> "Spending":
        """Return the sum of some."""
        total = cls()
        for part in parts:
            total.add(part)
        return total


@dataclass(frozen=True, slots=True)
class Step:
    """Cost of one step of the model."""

    time: float
    """Its beginning, in milliseconds since the epoch."""
    agent: str
    model: str
    """Model as ``provider/model``."""
    spending: Spending
    is_broken_off: bool
    """True if it was stopped or failed, so that OpenCode has no cost of it."""
    has_no_usage: bool
    """True if it ended well and has no tokens: OpenCode has not recorded them yet, or the provider reports none."""
    prompt_id: str = ""
    """Prompt that it answers."""

    @property
    def is_counted(self) -> bool:
        """Return True if OpenCode knows what it cost."""
        return not (self.is_broken_off or self.has_no_usage)


@dataclass(frozen=True, slots=True)
class Account:
    """Spending of a session itself."""

    steps: list[Step]
    beside: Spending = field(default_factory=Spending)
    """Spending that OpenCode counts and no message shows: requests for a title, and undone prompts."""
    prompts: dict[str, str] = field(default_factory=dict[str, str])
    """Beginnings of the prompts, by their ids, as far as OpenCode shows them."""

    @property
    def total(self) -> Spending:
        """Return all that the session spent."""
        return Spending.total([*(step.spending for step in self.steps), self.beside])


async def read_account(client: "OpenCodeClient", session: "Session", since: float = 0) -> Account:
    """Read what a session itself spent from a time on, in milliseconds since the epoch (``session.messages``).

    Steps that a fork copied are left out. What no message shows has no time, so it is known only for a session that
    began in the period.
    """
    steps: list[Step] = []
    prompts: dict[str, str] = {}
    async for message in history.own_messages(client, session):
        if message.info.time.created < since:
            break
        if message.info.role == "assistant":
            steps.append(step_of(message.info))
        else:
            prompts[message.info.id] = prompt_beginning(message)
    if session.time.created < since or not _counts_itself(session):
        return Account(steps, prompts=prompts)
    shown = Spending.total(step.spending for step in steps)
    return Account(steps, Spending.counted(session).beyond(shown), prompts)


def step_of(info: "MessageInfo") -> Step:
    """Return the cost of the step that made a message."""
    spending = Spending(info.cost, info.tokens.input, info.tokens.output)
    return Step(
        time=info.time.created,
        agent=info.agent,
        model=info.model,
        spending=spending,
        is_broken_off=info.error is not None and spending.is_nothing,
        has_no_usage=info.error is None and bool(info.finish) and spending.is_nothing,
        prompt_id=info.parent_id,
    )


def _counts_itself(session: "Session") -> bool:
    """Return True if OpenCode counts the session, and nothing that a fork copied.

    An old OpenCode 1 has no cost of sessions.
    """
    return session.cost is not None and not session.counts_copies


async def own_spending(client: "OpenCodeClient", session: "Session", latest: "Iterable[Message]" = ()) -> Spending:
    """Return what a session itself spent, the total of its account.

    All its messages are read only if OpenCode's own count cannot be right.

    Args:
        client: Reads the messages.
        session: The session, read before its latest messages.
        latest: Latest messages, which show if the count lags behind.
    """
    counted = Spending.counted(session)
    own = [message.info for message in latest if not history.is_copied(message.info, session)]
    shown = Spending.total(step_of(info).spending for info in own if info.role == "assistant")
    if _counts_itself(session) and shown.beyond(counted).is_nothing:
        return counted
    return (await read_account(client, session)).total

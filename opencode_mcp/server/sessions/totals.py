"""Totals of a list of sessions, as text and as data."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.server.results.amounts import amount_data, known_amount_text
from opencode_mcp.text.quantities import money, quantity
from opencode_mcp.text.utc_time import utc_text

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.session_history.subagents import Subagents


WHOLE_COST = "A session counts with its whole cost, also for what it did before {time}."


@dataclass(slots=True)
class Totals:
    """Number and sums of all sessions that a query selects, not only those of one page."""

    sessions: set[str] = field(default_factory=set[str])
    """Ids of the sessions of the selection."""
    spent: Spending = field(default_factory=Spending)
    """Sum of these sessions and of their subagents."""
    subagents: set[str] = field(default_factory=set[str])
    """Ids of their subagents that are not of the selection themselves."""
    spent_by_subagents: Spending = field(default_factory=Spending)
    """Part of the sum that these subagents spent."""
    uncertain_forks: int = 0
    """Sessions whose sums may include what they copied from another one."""
    is_whole: bool = True
    """False if there are more sessions than were counted."""
    since: float = 0
    """Time since which the sessions changed, in milliseconds since the epoch; 0: all."""
    is_cost_known: bool = True
    """False if a session is at work, or OpenCode does not know what all steps cost of one that is on the page."""
    archived: int = 0
    """Archived sessions that would be of the selection; they are not counted otherwise."""
    directories: set[str] = field(default_factory=set[str])
    """Directories of the sessions."""

    def add(self, session: "Session") -> None:
        """Count a session."""
        self.sessions.add(session.id)
        self.directories.add(session.directory)
        self.spent.add(Spending.counted(session))
        self.uncertain_forks += session.counts_copies

    def add_subagents(self, subagents: "Subagents") -> None:
        """Count the subagents of the sessions, each once."""
        for session_id in self.sessions:
            for session in subagents.below(session_id):
                if session.id not in self.sessions and session.id not in self.subagents:
                    self.subagents.add(session.id)
                    self.spent.add(Spending.counted(session))
                    self.spent_by_subagents.add(Spending.counted(session))

    def correct(self, session: "Session", own: Spending) -> None:
        """Replace what OpenCode counts for a session by what it spent itself."""
        self.uncertain_forks -= session.counts_copies
        self.spent.add(own)
        self.spent.subtract(Spending.counted(session))


def totals_text(totals: Totals, shown: int | None = None) -> str:
    """Return the line about all sessions of a selection, of which so many are shown; ``None``: all."""
    number = len(totals.sessions)
    part = f" ({shown:,} of them below)" if shown is not None and shown < number else ""
    least = "" if totals.is_whole else "At least "
    copied = (
        f", which may include what {quantity(totals.uncertain_forks, 'fork')} copied" if totals.uncertain_forks else ""
    )
    amount = known_amount_text(totals.spent, is_known=totals.is_cost_known)
    earlier = f" {WHOLE_COST.format(time=utc_text(totals.since))}" if totals.since else ""
    rest = f"{archived_text(totals)}{earlier}"
    return f"{least}{quantity(number, 'session')}{part}, {amount}{_by_subagents(totals)}{copied}.{rest}"


def archived_text(totals: Totals) -> str:
    """Return a sentence on the archived sessions that a list leaves out; empty if there are none."""
    if not totals.archived:
        return ""
    return f" {quantity(totals.archived, 'archived session')} left out, which opencode_cost counts."


def _by_subagents(totals: Totals) -> str:
    number = len(totals.subagents)
    if not number:
        return ""
    return f" ({money(totals.spent_by_subagents.cost)} of it by {quantity(number, 'subagent')})"


def totals_data(totals: Totals) -> dict[str, Any]:
    """Return the totals of a selection as structured content."""
    data: dict[str, Any] = {
        "sessions": len(totals.sessions),
        **amount_data(totals.spent),
        "complete": totals.is_whole and not totals.uncertain_forks and totals.is_cost_known,
    }
    if totals.archived:
        data["archived_left_out"] = totals.archived
    if totals.subagents:
        data["subagents"] = {"sessions": len(totals.subagents), **amount_data(totals.spent_by_subagents)}
    return data

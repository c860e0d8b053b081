"""Reads what a session's record lacks: its last run, its own spending, and its subagents'.

One reading serves a row of a list and the view of a session, so that both show the same.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import anyio

from opencode_mcp.runs.reports.reporter import END_PAUSE_SECONDS, END_SECONDS
from opencode_mcp.runs.run_note import first_prompt
from opencode_mcp.runs.session_history.last_run import LastRun, LastRunOutcome, read_last_run
from opencode_mcp.runs.session_history.spending import Spending, own_spending
from opencode_mcp.server.access.operations_of_tools import MESSAGES
from opencode_mcp.server.results.amounts import DATA_DIGITS
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.run_note import Note
    from opencode_mcp.runs.session_history.subagents import Subagents
    from opencode_mcp.server.bridge import Bridge

ENDS = frozenset({"completed", "failed", "aborted"})
"""Outcomes of runs that have an end."""
CHANGED_SINCE_MS = 60_000.0
"""Milliseconds after the end of the last run from which on a change of the session is shown: the end itself changes it,
too, and so does a title that OpenCode makes then."""
Activity = Literal["", "running", "needs_input"]
"""Work of a session at this moment, in the words of a report; empty: none."""
COUNTED_SOON = frozenset({"completed", "running", "needs_input"})
"""Outcomes of runs whose cost OpenCode is still to record, if it has none. It never has that of a step that failed."""


@dataclass(frozen=True, slots=True)
class PresentState:
    """State of a session at this moment."""

    is_running: bool = False
    asks: bool = False
    """True if something waits for an answer. If the session is idle, a plugin or a client has asked it."""

    @property
    def activity(self) -> Activity:
        """Return the work of the session."""
        if self.is_running:
            return "needs_input" if self.asks else "running"
        return ""

    @property
    def status(self) -> Literal["idle", "running", "needs_input"]:
        """Return the status of the session: also an idle one may need input."""
        return "needs_input" if self.asks else self.activity or "idle"


IDLE = PresentState()


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Facts of a session beside its record."""

    last: LastRun
    own: Spending
    """Spending of the session itself."""
    subagents: Spending = field(default_factory=Spending)
    """Spending of its subagents."""
    number_of_subagents: int = 0
    are_subagents_known: bool = True
    """False if OpenCode could not list them."""
    present: PresentState = IDLE
    stop_reason: str = ""
    """Sentence on the limit at which its last run was stopped; empty if it was not."""

    @property
    def activity(self) -> Activity:
        """Return the work of the session at this moment."""
        return self.present.activity

    @property
    def spent(self) -> Spending:
        """Return the spending of the session and of its subagents."""
        return Spending.total([self.own, self.subagents])

    @property
    def outcome(self) -> LastRunOutcome:
        """Return what the session does, or else the outcome of its last run."""
        return self.activity or self.last.outcome

    @property
    def is_cost_known(self) -> bool:
        """Return True if OpenCode has counted all that was spent."""
        return not self.activity and self.last.is_counted and self.are_subagents_known

    @property
    def ended(self) -> float:
        """Return the time of the end of the last run, in milliseconds since the epoch; 0 if it has none."""
        return self.last.changed if self.outcome in ENDS else 0


def is_changed_since(session: "Session", facts: SessionFacts) -> bool:
    """Return True if a session has changed after its last run ended, as by a new title."""
    return bool(facts.ended) and session.changed - facts.ended >= CHANGED_SINCE_MS


async def read_end(bridge: "Bridge", session: "Session") -> tuple[LastRun, Spending]:
    """Read the last run of a session and what it spent itself (``session.messages``).

    Nothing is read if the operator denies reading messages.

    Raises:
        BackendError: OpenCode could not be read.
    """
    if bridge.allowed.denies(MESSAGES):
        return unread(session)
    last = await _read_ended_run(bridge, session)
    return last, await own_spending(bridge.client, session, last.latest)


async def _read_ended_run(bridge: "Bridge", session: "Session") -> LastRun:
    """Read the last run of a session, again while its end may not be stored: OpenCode 1 is idle before an abort is."""
    last = await read_last_run(bridge.client, session, bridge.runs.known.schemas)
    while last.is_unfinished and _has_just_ended(bridge, session.id):
        await anyio.sleep(END_PAUSE_SECONDS)
        last = await read_last_run(bridge.client, session, bridge.runs.known.schemas)
    return last


def _has_just_ended(bridge: "Bridge", session_id: str) -> bool:
    """Return True if the event stream has shown the end of a session's work a moment ago, and no other prompt since."""
    state = bridge.hub.state(session_id)
    return bool(state.ended) and not state.working_on and anyio.current_time() - state.ended < END_SECONDS


def unread(session: "Session") -> tuple[LastRun, Spending]:
    """Return what is known of a session whose messages are not read."""
    return LastRun("unknown"), Spending.counted(session)


def facts_of(
    bridge: "Bridge", session: "Session", end: tuple[LastRun, Spending], subagents: "Subagents", present: PresentState
) -> SessionFacts:
    """Put the facts of a session together.

    Args:
        bridge: Knows how prompts begin that OpenCode cannot show as they were written.
        session: The session.
        end: From ``read_end``.
        subagents: Its subagents, among others.
        present: Its state at this moment.
    """
    last, own = end
    notes = bridge.runs.notes.of(session)
    first = first_prompt(last.prompt_id, notes)
    words = bridge.runs.notes.first_words_of(session, first) or last.prompt
    below = subagents.below(session.id)
    return SessionFacts(
        last=replace(last, prompt=words, prompt_id=first),
        own=own,
        subagents=Spending.total(map(Spending.counted, below)),
        number_of_subagents=len(below),
        are_subagents_known=subagents.is_whole,
        present=present,
        stop_reason=_stop_reason(bridge, first, notes) if last.outcome == "aborted" else "",
    )


def _stop_reason(bridge: "Bridge", prompt_id: str, notes: "Sequence[Note]") -> str:
    """Return why the limits of a prompt's run stopped it; empty if they did not."""
    noted = next((note.stopped for note in notes if note.message_id == prompt_id and note.stopped), "")
    return bridge.runs.known.stop_reasons.get(prompt_id) or noted


def cost_data(facts: SessionFacts) -> dict[str, Any]:
    """Return the cost of a session as structured content."""
    data: dict[str, Any] = {"cost": round(facts.spent.cost, DATA_DIGITS)}
    if facts.number_of_subagents:
        data["subagents_cost"] = round(facts.subagents.cost, DATA_DIGITS)
    return data if facts.is_cost_known else data | {"cost_complete": False}


def cost_text(facts: SessionFacts) -> str:
    """Return the cost of a session as text."""
    shown = facts.spent.cost
    if not facts.is_cost_known and facts.spent.is_nothing:
        return "cost not known yet" if facts.outcome in COUNTED_SOON else "cost not known"
    amount = money(shown) if facts.is_cost_known or not shown else f"at least {money(shown)}"
    if not facts.subagents.cost:
        return amount
    by = quantity(facts.number_of_subagents, "subagent")
    return f"{amount} ({money(facts.subagents.cost)} of it by {by})"

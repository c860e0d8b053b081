"""Amounts in texts and data: each rounded by itself, with what is not known."""

from dataclasses import replace

import pytest

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history.last_run import LastRun
from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.runs.session_history.subagents import Subagents
from opencode_mcp.server.costs.cost_report import CostReport, SessionCost, origin_of
from opencode_mcp.server.costs.cost_tables import cost_data, cost_text
from opencode_mcp.server.results.amounts import amount_data, amount_text
from opencode_mcp.server.sessions.session_facts import PresentState, SessionFacts
from opencode_mcp.server.sessions.session_facts import cost_text as session_cost_text
from opencode_mcp.server.sessions.totals import Totals, totals_data, totals_text
from opencode_mcp.text.quantities import money

KEYS = {"project": "/p", "model": "p/m", "agent": "build"}


def test_a_small_amount_is_not_shown_as_nothing() -> None:
    assert list(map(money, (0, 0.00001, 0.00005))) == ["$0.00", "under $0.0001", "$0.0001"]
    assert list(map(money, (0.0123, 0.09999, 0.1234, 1.5))) == ["$0.0123", "$0.10", "$0.12", "$1.50"]
    assert amount_text(Spending(0.5, 1200, 30)) == "$0.50, 1,200 tokens in, 30 out"
    assert amount_data(Spending(0.12345678, 5, 1)) == {"cost": 0.123457, "tokens": {"input": 5, "output": 1}}


def test_each_row_of_a_table_is_rounded_as_elsewhere() -> None:
    report = CostReport(0)
    for day in range(7):
        report.add(Spending(0.00034, 10, 1), day=f"2026-11-{day + 10}", **KEYS)
    report.sessions = 1
    report.archived = 1
    assert "in 1 session (1 archived, which lists leave out) since" in cost_text(report)
    lines = [line for line in cost_text(report).splitlines() if line.startswith("- 2026-")]
    assert len(lines) == 7
    assert all(money(0.00034) in line for line in lines)
    assert "Each amount is rounded by itself." in cost_text(report)
    data = cost_data(report)
    assert sum(row["cost"] for row in data["by_day"]) == pytest.approx(data["cost"])


def test_rows_of_zero_are_only_named() -> None:
    report = CostReport(0, sessions=1)
    report.add(Spending(0.5, 10, 1), day="2026-11-10", **KEYS)
    for model in ("p/failed", "p/stopped"):
        report.add(Spending(), day="2026-11-11", **(KEYS | {"model": model}))
    assert [row["model"] for row in cost_data(report)["by_model"]] == ["p/m"]
    text = cost_text(report)
    assert "- without cost or tokens: p/failed, p/stopped" in text
    assert "- without cost or tokens: 2026-11-11" in text


def test_the_sessions_of_the_highest_cost_are_named_and_what_is_not_known_is_said() -> None:
    report = CostReport(0, sessions=7)
    for number in range(1, 8):
        report.by_session[f"ses_{number}"] = SessionCost(f"ses_{number}", "", number == 7, Spending(number))
        report.add(Spending(number), day="2026-11-10", **KEYS)
    report.by_session["ses_6"].title = "Six"
    report.by_session["ses_6"].is_known = False
    assert cost_text(report).startswith("$28.00 in 7 sessions")
    report.broken_off = 1
    text = cost_text(report, 5)
    assert text.startswith("at least $28.00 in 7 sessions")
    first = ["- ses_7 (archived): $7.00", '- ses_6 "Six": at least $6.00', "- ses_5: $5.00"]
    assert "\n".join(["By session (the 5 most expensive of 7; top=... lists more):", *first]) in text
    assert "ses_2" not in text
    data = cost_data(report, 5)
    assert not data["complete"]
    assert [row["session_id"] for row in data["by_session"]] == [f"ses_{number}" for number in (7, 6, 5, 4, 3)]


def test_a_subagent_counts_for_the_session_that_started_it() -> None:
    family = {session.id: session for session in (listed("a", 1), listed("b", 0.5, "a"), listed("c", 0.25, "b"))}
    assert origin_of(family["c"], family).id == "a"
    assert origin_of(listed("d", 1, "unread"), family).id == "d"


def facts(cost: float, *, counted: bool = True, subagents: float = 0, running: bool = False) -> SessionFacts:
    return SessionFacts(
        last=LastRun("completed", is_counted=counted),
        own=Spending(cost),
        subagents=Spending(subagents),
        number_of_subagents=1 if subagents else 0,
        present=PresentState(is_running=running),
    )


def test_a_cost_that_is_not_known_is_not_shown_as_zero() -> None:
    assert session_cost_text(facts(0.5)) == "$0.50"
    assert session_cost_text(facts(0)) == "$0.00", "a free model"
    assert session_cost_text(facts(0, counted=False)) == "cost not known yet"
    assert (
        session_cost_text(replace(facts(0, counted=False), last=LastRun("aborted", is_counted=False)))
        == "cost not known"
    )
    assert session_cost_text(facts(0, running=True)) == "cost not known yet"
    assert session_cost_text(facts(0.5, counted=False)) == "at least $0.50"
    assert session_cost_text(facts(0.5, running=True)) == "at least $0.50"


def test_the_cost_of_subagents_is_a_part_of_the_session_s() -> None:
    assert session_cost_text(facts(0.5, subagents=0.25)) == "$0.75 ($0.25 of it by 1 subagent)"


def listed(name: str, cost: float, parent: str = "") -> Session:
    return Session.read({"id": name, "parentID": parent or None, "cost": cost})


def test_totals_count_each_session_once_with_its_subagents() -> None:
    family = [listed("a", 1), listed("b", 0.5, "a"), listed("c", 0.25, "b")]
    roots = Totals()
    roots.add(family[0])
    roots.add_subagents(Subagents(family))
    assert totals_text(roots) == "1 session, $1.75 ($0.75 of it by 2 subagents)."
    assert totals_data(roots)["subagents"] == {"sessions": 2, "cost": 0.75, "tokens": {"input": 0, "output": 0}}
    roots.is_cost_known = False
    assert totals_text(roots) == "1 session, at least $1.75 ($0.75 of it by 2 subagents)."
    assert not totals_data(roots)["complete"]
    roots.since = 1_795_521_600_000
    text = (
        "$1.75 ($0.75 of it by 2 subagents). "
        "A session counts with its whole cost, also for what it did before 2026-11-24T12:00:00Z."
    )
    assert totals_text(roots).endswith(text)
    assert totals_text(Totals(sessions={"a"}, is_cost_known=False)) == "1 session, cost not known."
    everything = Totals()
    for session in family[:2]:
        everything.add(session)
    everything.add_subagents(Subagents(family))
    assert totals_text(everything) == "2 sessions, $1.75 ($0.25 of it by 1 subagent)."


def test_totals_say_that_they_may_include_what_a_fork_copied_until_the_fork_is_read() -> None:
    totals = Totals()
    forks = [Session(id=f"ses_{number}", directory="/p", counts_copies=True) for number in (1, 2)]
    for fork in forks:
        totals.add(fork)
    assert totals_text(totals).endswith(", which may include what 2 forks copied.")
    totals.correct(forks[0], Spending())
    assert totals_text(totals).endswith(", which may include what 1 fork copied.")
    totals.correct(forks[1], Spending())
    assert "copied" not in totals_text(totals)


def test_totals_say_how_many_sessions_are_shown_and_how_many_archived_ones_are_left_out() -> None:
    totals = Totals(sessions={"a", "b"}, archived=1)
    text = "2 sessions (1 of them below), $0.00. 1 archived session left out, which opencode_cost counts."
    assert totals_text(totals, 1) == text
    assert totals_text(totals, 2).startswith("2 sessions, $0.00.")
    assert totals_data(totals)["archived_left_out"] == 1

"""Cost of a period as text and as data."""

from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.server.costs.cost_report import OUTSIDE_OF_RUNS, CostReport, RunCost, SessionCost
from opencode_mcp.server.costs.cost_tables import cost_data, cost_text


def report() -> CostReport:
    made = CostReport(since=0, sessions=2)
    made.add(Spending(3, 30, 3), day="2026-11-27", project="/p", model="a/paid", agent="build")
    made.add(Spending(), day="2026-11-27", project="/p", model="a/free", agent="plan")
    made.by_session = {
        "ses_1": SessionCost("ses_1", "First", is_archived=False, spent=Spending(2, 20, 2), beside=Spending(0.5)),
        "ses_2": SessionCost("ses_2", "Second", is_archived=True, spent=Spending(1, 10, 1), is_known=False),
    }
    made.by_session["ses_2"].is_running = True
    made.by_run = {
        name: RunCost("ses_1", name, "First", Spending(cost)) for name, cost in (("msg_1", 0.5), ("msg_2", 1.0))
    }
    made.by_run["msg_2"].prompt = "Fix it."
    made.by_run["msg_3"] = RunCost("ses_2", "msg_3", "Second", Spending(1), is_known=False)
    return made


def test_what_has_no_cost_is_named() -> None:
    text = cost_text(report())
    assert "- without cost or tokens: a/free" in text
    assert "- without cost or tokens: plan" in text


def test_sessions_without_cost_are_counted_so_that_a_list_has_the_same_number() -> None:
    made = report()
    assert "more session" not in cost_text(made)
    assert "sessions_without_cost" not in cost_data(made)
    made.without_cost = 2
    assert "2 more sessions changed, without cost or tokens." in cost_text(made).splitlines()[0]
    assert cost_data(made)["sessions_without_cost"] == 2


def test_a_running_session_is_marked_and_makes_every_total_a_lower_limit() -> None:
    text = cost_text(report())
    assert '- ses_2 "Second" (archived, running): at least $1.00' in text
    assert text.startswith("at least $3.00")
    assert not cost_data(report())["complete"]


def test_a_session_says_what_it_cost_beside_its_runs() -> None:
    assert f'- ses_1 "First": $2.00, 20 tokens in, 2 out ($0.50 of it {OUTSIDE_OF_RUNS})' in cost_text(report())
    first, second = cost_data(report())["by_session"]
    assert first["titles_and_undone_cost"] == 0.5
    assert "titles_and_undone_cost" not in second


def test_the_rows_of_sessions_name_the_run_if_each_has_one() -> None:
    made = report()
    del made.by_run["msg_1"]
    text = cost_text(made)
    assert "By run" not in text
    assert f'($0.50 of it {OUTSIDE_OF_RUNS}) · msg_2 "Fix it."' in text
    assert "at least $1.00, 10 tokens in, 1 out · msg_3" in text


def test_the_most_expensive_runs_are_listed_and_as_many_as_are_wanted() -> None:
    text = cost_text(report(), top=2)
    assert "By run (the 2 most expensive of 3; top=... lists more):" in text
    assert '- msg_2 "Fix it." of ses_1 "First": $1.00\n- msg_3 of ses_2 "Second": at least $1.00\n\n' in text
    assert "msg_1" in cost_text(report(), top=3)
    assert [row["message_id"] for row in cost_data(report(), top=1)["by_run"]] == ["msg_2"]

"""Text and structured content of the view of a session."""

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history.last_run import LastRun
from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.server.sessions.session_details import SessionDetails, view_data, view_text
from opencode_mcp.server.sessions.session_facts import SessionFacts

SESSION = Session.read({"id": "ses_1"})


def test_a_view_says_that_the_subagents_could_not_be_listed_so_that_the_cost_is_not_known() -> None:
    facts = SessionFacts(LastRun("completed"), Spending(0.25), are_subagents_known=False)
    view = SessionDetails(SESSION, facts=facts)
    assert "OpenCode could not list its subagents." in view_text(view).splitlines()
    assert "at least $0.25" in view_text(view)
    data = view_data(view)
    assert (data["children_complete"], data["cost_complete"]) == (False, False)


def test_a_view_of_a_session_without_subagents_does_not_mention_them() -> None:
    view = SessionDetails(SESSION, facts=SessionFacts(LastRun("completed"), Spending(0.25)))
    assert "subagents" not in view_text(view)
    assert "children_complete" not in view_data(view)

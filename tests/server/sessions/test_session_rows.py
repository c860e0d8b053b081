"""A list of sessions names the files that each changed, as far as they can be read."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history.last_run import LastRun
from opencode_mcp.runs.session_history.session_changes import NO_CHANGES
from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.server.sessions import session_rows
from opencode_mcp.server.sessions.session_facts import PresentState, SessionFacts, is_changed_since
from opencode_mcp.server.sessions.session_list import SessionPage
from opencode_mcp.server.sessions.session_rows import Row, SessionRows
from opencode_mcp.server.sessions.totals import Totals

pytestmark = pytest.mark.anyio


async def test_files_that_cannot_be_read_do_not_cost_a_row_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session.read({"id": "ses_1", "directory": "/p", "title": "One", "time": {"created": 1, "updated": 2}})
    page = SessionPage([session], readable={"/p"}, directory="/p")

    async def end(*_arguments: object) -> tuple[LastRun, Spending]:
        return LastRun("completed", prompt="Do it."), Spending()

    async def slow(*_arguments: object) -> None:
        raise BackendTimeout("OpenCode did not answer.")

    monkeypatch.setattr(session_rows, "read_end", end)
    monkeypatch.setattr(session_rows, "read_changes", slow)
    found = await session_rows._read_ends(cast("Any", SimpleNamespace(client=None)), page)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert found["ses_1"].last.outcome == "completed"
    assert not found["ses_1"].changes.is_whole


def listed(name: str, directory: str = "/p", *, updated: float = 2, last: LastRun | None = None) -> Row:
    time = {"created": 1, "updated": updated}
    session = Session.read({"id": name, "directory": directory, "title": name, "time": time})
    facts = SessionFacts(last or LastRun("completed", changed=2), Spending())
    return Row(session, facts, NO_CHANGES, session_rows._row_data(session, facts))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def test_the_head_of_a_list_counts_all_sessions_of_the_selection() -> None:
    rows = [listed("ses_1")]
    everywhere = Totals(sessions={"ses_1", "ses_2"}, directories={"/p", "/q"})
    here = Totals(sessions={"ses_1", "ses_2"}, directories={"/p"})
    assert SessionRows(rows, everywhere).text.startswith("2 sessions (1 of them below), $0.00. These are in /p.\n")
    assert SessionRows(rows, here).text.startswith("2 sessions (1 of them below), $0.00. All in /p.\n")
    assert SessionRows(rows).text.startswith("These are in /p.\n")
    assert SessionRows([], Totals(archived=2)).text.startswith("No session fits. 2 archived sessions left out")


def test_a_row_has_the_time_by_which_the_list_is_sorted() -> None:
    line = SessionRows([listed("ses_1", updated=3_600_002)]).text.splitlines()[1]
    assert "changed 1970-01-01T01:00:00Z, ended 1970-01-01T00:00:00Z" in line
    line = SessionRows([listed("ses_1", updated=1002)]).text.splitlines()[1]
    assert "changed 1970-01-01T00:00:01Z · " in line
    unanswered = listed("ses_1", last=LastRun("unanswered", changed=2))
    assert "changed 1970" in SessionRows([unanswered]).text
    assert not is_changed_since(unanswered.session, unanswered.facts)


def test_an_idle_session_in_which_something_is_asked_needs_input() -> None:
    row = listed("ses_1")
    facts = replace(row.facts, present=PresentState(asks=True))
    assert " · needs_input, last run completed · " in SessionRows([replace(row, facts=facts)]).text
    facts = replace(row.facts, present=PresentState(is_running=True, asks=True))
    assert "ses_1 · needs_input · " in SessionRows([replace(row, facts=facts)]).text

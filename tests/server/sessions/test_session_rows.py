"""A list of sessions names the files that each changed, as far as they can be read."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.opencode.vocabulary.models import Session
from opencode_mcp.runs.sessions.last_run import LastRun
from opencode_mcp.runs.sessions.spending import Spending
from opencode_mcp.server.sessions import session_rows
from opencode_mcp.server.sessions.session_list import SessionPage

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

"""Events that a caller may collect: none shows what happens outside of the allowed directories."""

from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from opencode_mcp.server.operations.handlers.collected_events import VisibleEvents

pytestmark = pytest.mark.anyio

OWN, FOREIGN = "/own", "/elsewhere"


class OwnFence:
    """Allows one directory and one session."""

    async def allows(self, directory: str) -> bool:  # noqa: D102 - the base class says it
        await checkpoint()
        return directory == OWN

    async def allows_session(self, session_id: str) -> bool:  # noqa: D102 - the base class says it
        await checkpoint()
        return session_id == "ses_own"


def event_1(kind: str, directory: str, **properties: object) -> dict[str, Any]:
    """An event as OpenCode 1 sends it."""
    return {"directory": directory, "payload": {"type": kind, "properties": properties}}


def event_2(kind: str, directory: str = "", **data: object) -> dict[str, Any]:
    """An event as OpenCode 2 sends it."""
    location = {"location": {"directory": directory}} if directory else {}
    return {"type": kind, "data": data, **location}


VISIBLE = [
    event_1("session.idle", OWN, sessionID="ses_own"),
    event_1("server.connected", "global"),
    event_1("todo.updated", "global", sessionID="ses_own"),
    event_2("server.connected"),
    event_2("command.updated", OWN),
    event_2("session.execution.started", sessionID="ses_own"),
    event_2("form.created", form={"id": "frm_1", "sessionID": "ses_own"}),
    event_2("installation.updated", version="2.1.3"),
]
HIDDEN = [
    event_1("session.idle", FOREIGN, sessionID="ses_own"),
    event_1("project.updated", "global", id="p2", worktree=FOREIGN),
    event_1("todo.updated", "global", sessionID="ses_foreign"),
    event_2("command.updated", FOREIGN),
    event_2("session.execution.started", sessionID="ses_foreign"),
    event_2("form.created", form={"id": "frm_1", "sessionID": "ses_foreign"}),
    event_2("project.updated", id="p2", canonical=FOREIGN),
    event_2("worktree.updated", projectID="p2"),
    event_2("persistent-pty.added", ptyID="pty_1"),
    event_2("an.unknown.event", note="secret"),
]


def case_name(event: dict[str, Any]) -> str:
    """Name a case."""
    return str(event.get("payload", event)["type"])


@pytest.mark.parametrize("event", VISIBLE, ids=case_name)
async def test_an_event_of_an_allowed_place_or_of_the_server_is_shown(event: dict[str, Any]) -> None:
    assert await VisibleEvents(OwnFence()).admits(event)


@pytest.mark.parametrize("event", HIDDEN, ids=case_name)
async def test_an_event_of_another_place_or_of_an_unknown_one_is_not_shown(event: dict[str, Any]) -> None:
    assert not await VisibleEvents(OwnFence()).admits(event)


async def test_the_stream_of_one_directory_shows_events_that_name_none() -> None:
    visible = VisibleEvents(OwnFence(), of_directory=True)
    assert await visible.admits({"type": "tui.toast.show", "properties": {"message": "x"}})
    assert await visible.admits({"type": "server.instance.disposed", "properties": {"directory": OWN}})
    assert not await visible.admits({"type": "project.updated", "properties": {"id": "p2", "worktree": FOREIGN}})
    assert not await visible.admits({"type": "session.idle", "properties": {"sessionID": "ses_foreign"}})

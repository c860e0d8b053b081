"""A write of a session's metadata keeps the note of a run that starts at the same moment."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.run_note import NOTE_KEY
from opencode_mcp.runs.starting.session_lock import SessionLocks
from opencode_mcp.server.operations.handlers.handler import OperationRequest
from opencode_mcp.server.operations.handlers.session_update import update_session
from tests.harness.operations import operation

pytestmark = pytest.mark.anyio

SESSION = "ses_1"
UPDATE = operation("session.update")


class Backend:
    """The parts of a bridge that the update uses, before an OpenCode that keeps one session's metadata."""

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self.metadata = metadata
        self.locks = SessionLocks(None)
        self.client = SimpleNamespace(session_get=self._get)
        self.operations = SimpleNamespace(send=self._send)
        self.runs = SimpleNamespace(turns=SimpleNamespace(alone_in=self.locks.hold))

    async def _get(self, session_id: str) -> Session:
        return Session.model_validate({"id": session_id, "metadata": self.metadata})

    async def _send(self, _operation: object, call: Any, **_options: object) -> SimpleNamespace:  # noqa: ANN401
        self.metadata = call.body.get("metadata", self.metadata)
        return SimpleNamespace(value=True, cursor="")

    async def update(self, **arguments: object) -> None:
        """Call the operation as a caller does."""
        ctx = SimpleNamespace(request_context=SimpleNamespace(lifespan_context=self))
        call = split(UPDATE, {"sessionID": SESSION, **arguments})
        await update_session(OperationRequest(cast("Any", ctx), UPDATE, call, {}))


async def test_a_note_that_is_written_meanwhile_is_not_replaced_by_an_older_one() -> None:
    backend = Backend({NOTE_KEY: "old note"})
    async with anyio.create_task_group() as tasks, backend.locks.hold(SESSION):
        # A run is being started: the update waits for its turn, and reads what the run has noted.
        tasks.start_soon(lambda: backend.update(metadata={"mine": 1}))
        await anyio.wait_all_tasks_blocked()
        assert backend.metadata == {NOTE_KEY: "old note"}
        backend.metadata = {NOTE_KEY: "new note"}
    assert backend.metadata == {"mine": 1, NOTE_KEY: "new note"}


@pytest.mark.parametrize("before", [{}, {"mine": 1}])
async def test_where_no_bridge_has_noted_anything_the_metadata_is_the_callers(before: Mapping[str, object]) -> None:
    backend = Backend(before)
    await backend.update(metadata={"other": 2})
    assert backend.metadata == {"other": 2}


async def test_an_update_without_metadata_waits_for_nobody() -> None:
    backend = Backend({NOTE_KEY: "note"})
    async with backend.locks.hold(SESSION):
        await backend.update(title="New")
    assert backend.metadata == {NOTE_KEY: "note"}

"""Turns in sessions: one prompt, command or shell line is started in a session at a time, with a note on it."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError, SessionBusy
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.submission import SessionSettings
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.answer_summary import first_words, visible_text
from opencode_mcp.runs.prompting.reload import InstanceReload
from opencode_mcp.runs.prompting.send_failures import may_have_arrived
from opencode_mcp.runs.run_note import Note, Notes, combined
from opencode_mcp.runs.run_record import Run, latest_prompt
from opencode_mcp.runs.session_stopping import SessionTree
from opencode_mcp.runs.starting.session_lock import SessionLocks
from opencode_mcp.runs.starting.start_deadline import StartDeadline
from opencode_mcp.runs.verification.verification_progress import Verifications

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.transport import Transport

logger = logging.getLogger(__name__)

DELETION_SECONDS = 5.0
"""Seconds for the deletion of an empty session, which can be left."""


class SessionTurns:
    """Gives out the turns in sessions, and writes the notes on what is started in them.

    Args:
        hub: The events of the server with the sessions.
        notes: Where it is noted who answers what a run asks.
        verifications: The verifications of runs; a session whose work is being verified is busy.
        session_locks: Keeps other bridges out of a session; none: only this process's tasks.
        instance_reload: Makes OpenCode read new files.
    """

    def __init__(
        self,
        hub: Hub,
        notes: Notes,
        verifications: Verifications,
        session_locks: SessionLocks | None,
        instance_reload: InstanceReload,
    ) -> None:
        self._hub = hub
        self._notes = notes
        self._verifications = verifications
        self._session_locks = session_locks or SessionLocks(None)
        self._instance_reload = instance_reload
        self._prepared: set[tuple[Transport, str]] = set()

    @asynccontextmanager
    async def turn(self, session: Session, *, is_new: bool = False) -> AsyncGenerator[OpenCodeClient]:
        """Have an idle session to oneself while the block starts something in it.

        Args:
            session: The session.
            is_new: Whether the caller has just created it, so that nothing can run in it.

        Raises:
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached.
        """
        client = await self.client_in(session.directory)
        async with self._session_locks.hold(session.id), self._instance_reload.starting(session.directory):
            if not is_new:
                await self._refuse_if_busy(client, session)
            yield client

    def alone_in(self, session_id: str) -> AbstractAsyncContextManager[None]:
        """Keep every start of a prompt out of a session while the block writes its record.

        Raises:
            SessionBusy: Another bridge was starting something in it all the time.
        """
        return self._session_locks.hold(session_id)

    async def begin_session(
        self, client: OpenCodeClient, directory: str, note: Note, settings: SessionSettings, title: str = ""
    ) -> Session:
        """Create a session with a note for its first prompt, and with the settings of that (``session.create``)."""
        metadata = self._notes.metadata(note)
        created = await client.session_create(directory, title=title, metadata=metadata, settings=settings)
        state = self._hub.kept_state(created.id)
        state.title, state.complete = state.title or created.title, True
        return created

    @asynccontextmanager
    async def not_left_empty(
        self, client: OpenCodeClient, session: Session, start_deadline: StartDeadline, *, is_new: bool
    ) -> AsyncGenerator[None]:
        """Delete a session that was created for a prompt if the block fails and certainly has not sent the prompt.

        Args:
            client: Deletes the session.
            session: The session.
            start_deadline: Knows whether the prompt was about to be sent.
            is_new: Whether the session was created for the prompt.
        """
        try:
            yield
        except BridgeError as error:
            if is_new and not (start_deadline.committed and may_have_arrived(error)):
                await _delete_empty(client, session)
            raise
        except anyio.get_cancelled_exc_class():
            if is_new and not start_deadline.committed:
                await _delete_empty(client, session)
            raise

    async def noted(
        self, client: OpenCodeClient, session: Session, note: Note, start_deadline: StartDeadline, *, is_new: bool
    ) -> Run:
        """Note who answers for the prompt that is sent next, in the session's turn; returns its run.

        A subagent of an earlier prompt may still be working, where OpenCode has detached it. The new note would replace
        the one that holds for it, so the new prompt is then held to the stricter of both.

        Raises:
            BackendError: OpenCode could not be reached; nothing was started.
        """
        if not is_new:
            note = await self._with_what_still_runs(client, session, note)
            await self._notes.write(client, session, note)
        await start_deadline.commit()
        self._notes.remember(session.id, note)
        return Run(
            directory=session.directory,
            session_id=session.id,
            message_id=note.message_id,
            caller_limit=note.caller_limit,
            starter=note.starter,
            policies=note.policies,
            limits=note.limits,
            verification=note.verification,
            words=note.words,
        )

    async def note_prompt(self, client: OpenCodeClient, session: Session, run: Run) -> None:
        """Write the note of a run again whose prompt had no id before; a failure leaves one that holds for all prompts.

        It is called in the session's turn.
        """
        note = Note(run.message_id, run.caller_limit, run.starter, run.policies, run.words, run.limits)
        try:
            await self._notes.write(client, session, note)
        except BridgeError as error:
            logger.info("could not note the prompt %s: %s", run.message_id, error)
        else:
            self._notes.remember(session.id, note)

    async def _with_what_still_runs(self, client: OpenCodeClient, session: Session, note: Note) -> Note:
        if not await SessionTree(client, session.id, session.directory).busy_levels():
            return note
        before = self._notes.of(await client.session_get(session.id))
        caller_limit, starter, policies = combined([note, *before])
        return replace(note, caller_limit=caller_limit, starter=starter, policies=policies)

    async def client_in(self, directory: str) -> OpenCodeClient:
        """Return a client that never finds another server by itself: what happens to this one must be seen."""
        transport = await self._hub.ensure()
        client = OpenCodeClient(transport)
        if (transport, directory) not in self._prepared:
            await client.prepare_runs(directory)
            self._prepared.add((transport, directory))
        return client

    async def _refuse_if_busy(self, client: OpenCodeClient, session: Session) -> None:
        if verification := self._verifications.running_in(session.id):
            raise SessionBusy(f"The work of the session {session.id} is being verified: {verification.activity}.")
        if session.id not in await client.session_status(session.directory):
            return
        running = await latest_prompt(client, session.id)
        words = first_words(visible_text(running)) if running else ""
        quoted = f": {words!r}" if words else ""
        raise SessionBusy(f"The session {session.id} is running another prompt{quoted}.")


async def _delete_empty(client: OpenCodeClient, session: Session) -> None:
    """Delete a session unless it has messages or prompts; it stays if OpenCode does not answer in time."""
    with anyio.move_on_after(DELETION_SECONDS, shield=True):
        try:
            messages = (await client.session_messages(session.id, limit=1)).items
            if not messages and not await client.pending_prompts(session.id):
                await client.session_delete(session.id)
        except BridgeError as error:
            logger.info("could not delete the empty session %s: %s", session.id, error)

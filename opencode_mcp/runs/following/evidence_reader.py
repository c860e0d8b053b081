"""Reads what OpenCode has on record of a run that is followed, as evidence of its state.

A read begins with the map of busy sessions. Of an idle session it reads the last messages; of a busy one the open
requests, if they may have changed. What the report needs later is kept in the run's ``Observation``.

Events decide three things here. A prompt that the stream shows OpenCode at work on is not looked for in the inbox. An
error that the stream reported is the only trace of a prompt that failed before its first answer. And a run on which a
server of a bridge worked when it ended is lost, without a wait for the time after which any other is.
"""

from contextlib import suppress
from math import inf

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.runs.following.idle_time import proven_idle_seconds
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.outcome.state import Evidence
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.run_age import run_age
from opencode_mcp.runs.run_record import (
    Run,
    all_answers,
    has_moved_on,
    is_cut_short,
    last_answers,
    latest_prompt,
    says_nothing,
    was_stopped_between,
)
from opencode_mcp.runs.session_history.history import is_copied

INBOX_RECHECK_SECONDS = 0.3
"""Seconds after which a prompt that is still in the inbox of an idle session will not begin by itself."""


class EvidenceReader:
    """Reads one run, again and again, while it is followed.

    Args:
        client: Reads the run.
        hub: Knows what the event stream has shown.
        run: The run.
        seen: Gets what the report needs later.
    """

    def __init__(self, client: OpenCodeClient, hub: Hub, run: Run, seen: Observation) -> None:
        self._client = client
        self._hub = hub
        self._run = run
        self._seen = seen
        self._requests = Requests(client, hub)
        self._idle_since: float | None = None
        self._is_copy_checked = False
        self._are_requests_stale = True
        self._superseded: bool | None = None
        """True if the run has ended and the session may work on something else; ``None``: to be read."""
        self._is_begun = False
        """True if OpenCode is known to have taken the prompt out of the inbox."""
        self.was_busy = False
        """True if OpenCode was seen at work on the run."""

    def forget_requests(self) -> None:
        """Have the open requests read again: they may have changed."""
        self._are_requests_stale = True

    def forget_succession(self) -> None:
        """Have it read again whether the session has gone on to other work."""
        self._superseded = None

    async def read(self) -> Evidence:
        """Read the run; the answers only if its session does not work on it.

        Raises:
            BackendError: OpenCode could not be read.
        """
        run = self._run
        status = (await self._client.session_status(run.directory)).get(run.session_id)
        if self._superseded is None:
            self._superseded = await has_moved_on(self._client, run)
        if status is not None and not self._superseded:
            return await self._busy_evidence(status)
        await self._read_answers()
        if not self._superseded and await self._shell_line_runs():
            return await self._busy_evidence(SessionStatus(type="busy"))
        return await self._idle_evidence()

    async def _idle_evidence(self) -> Evidence:
        """Return the evidence of a run that its session does not work on, after its answers were read."""
        run, seen = self._run, self._seen
        seen.pending, seen.session_forms, self._are_requests_stale = [], [], True
        seen.waits_behind, seen.is_idle = None, True
        seen.is_never_started = not self._superseded and await self._never_started()
        if seen.is_never_started:
            seen.answers = []  # They are those of another prompt.
            return Evidence(never_started=True, error=self._hub.state(run.session_id).error)
        idle_seconds = await self._idle_seconds()
        last = seen.answers[-1] if seen.answers else None
        return Evidence(
            answers=[message.info for message in seen.answers],
            empty=last is not None and says_nothing(last),
            cut_short=last is not None and is_cut_short(last),
            stopped=was_stopped_between(seen.answers),
            error=self._hub.state(run.session_id).error,
            copied=seen.is_copied,
            idle_seconds=idle_seconds,
        )

    async def _prompt_ahead(self) -> str | None:
        """Return the prompt for which the run's waits in the inbox, empty if it is not known; ``None`` if it does not.

        OpenCode 2 takes a queued prompt out of the inbox when it begins it.
        """
        if not self._is_begun:
            self._is_begun = not await self._waits_in_inbox()
        if self._is_begun:
            return None
        latest = await latest_prompt(self._client, self._run.session_id)
        return latest.info.id if latest else ""

    async def _waits_in_inbox(self) -> bool:
        run = self._run
        if self._hub.state(run.session_id).working_on == run.message_id:
            return False
        return run.message_id in await self._client.pending_prompts(run.session_id)

    async def _shell_line_runs(self) -> bool:
        """Return True if the run is a person's shell line that has not ended; OpenCode 2 calls the session idle."""
        calls = self._seen.answers[-1].tool_calls if self._seen.answers else []
        if not any(call.state.status == "running" for call in calls):
            return False
        return bool(await self._client.running_shell(self._run.session_id, self._run.directory))

    async def _never_started(self) -> bool:
        """Return True if the prompt was never begun, and will not be before the session's next prompt."""
        run = self._run
        if any(answer.info.parent_id == run.message_id for answer in self._seen.answers):
            return False
        if run.message_id not in await self._client.pending_prompts(run.session_id):
            return False
        # OpenCode may just be about to begin it.
        await anyio.sleep(INBOX_RECHECK_SECONDS)
        if run.session_id in await self._client.session_status(run.directory):
            return False
        return run.message_id in await self._client.pending_prompts(run.session_id)

    async def _read_answers(self) -> None:
        if self._superseded:
            self._seen.answers, self._seen.is_whole = await all_answers(self._client, self._run), True
        else:
            self._seen.answers, self._seen.is_whole = await last_answers(self._client, self._run)

    async def _idle_seconds(self) -> float:
        """Return the seconds since the session was seen to fall idle, at the first read those that can be proven."""
        if self._hub.interrupted.has_ended(self._run.message_id) or self._is_answer_final():
            return inf
        now = anyio.current_time()
        if self._idle_since is None:
            self._idle_since = now - (0 if self.was_busy else await self._idle_before())
        elif not self._is_copy_checked:
            # A fork's copy of a prompt looks on the stream as if OpenCode had taken it.
            await self._read_session()
        return now - self._idle_since

    def _is_answer_final(self) -> bool:
        """Return True if the session went on to other work, and nothing will be added to the run's last answer."""
        last = self._seen.answers[-1].info if self._seen.answers else None
        return bool(self._superseded) and last is not None and (last.ended or last.is_complete)

    async def _idle_before(self) -> float:
        """Return the seconds for which the run was idle before it was read: it may have been lost long ago."""
        session = await self._read_session()
        session_age = self._client.clock.now() - session.time.updated / 1000
        unchanged_seconds = min(session_age, run_age(self._client, self._run))
        return await proven_idle_seconds(self._client, self._hub, self._run, unchanged_seconds=unchanged_seconds)

    async def _read_session(self) -> Session:
        """Read the session, and note whether it is a fork that only copied the run (``session.get``)."""
        session = await self._client.session_get(self._run.session_id)
        self._seen.is_copied, self._is_copy_checked = await self._is_copied(session), True
        return session

    async def _is_copied(self, session: Session) -> bool:
        """Return True if a fork copied the last answer, or the prompt if it has none (``session.message``)."""
        if self._seen.answers:
            return is_copied(self._seen.answers[-1].info, session)
        with suppress(BridgeError):
            return is_copied((await self._client.session_message(session.id, self._run.message_id)).info, session)
        return False

    async def _with_pause(self, status: SessionStatus) -> SessionStatus:
        """Return the status of the busy session with a pause that the server's own status does not tell.

        The stream tells it, unless it was not followed when the pause began: then the messages do.
        """
        if (await self._client.features()).retry_status:
            return status
        followed = self._hub.state(self._run.session_id).status
        return followed or await self._client.session_pause(self._run.session_id) or status

    async def _busy_evidence(self, status: SessionStatus) -> Evidence:
        """Return the evidence of a run whose session works, perhaps on a prompt ahead of the run's."""
        seen = self._seen
        seen.status = status = await self._with_pause(status)
        self._idle_since, self.was_busy, seen.is_idle = None, True, False
        seen.waits_behind = await self._prompt_ahead()
        if seen.waits_behind is not None:
            # What is asked now is asked for the prompt ahead.
            seen.pending, self._are_requests_stale = [], True
            return Evidence(status=SessionStatus(type="busy"))
        if self._are_requests_stale:
            await self._read_requests()
        return Evidence(status=status, asked=bool(seen.pending))

    async def _read_requests(self) -> None:
        asked = await self._requests.open(self._run.directory, self._run.session_id)
        self._seen.pending = [request for request in asked if not self._is_beside(request)]
        self._seen.session_forms = [request.request_id for request in asked if request.is_of_session]
        self._are_requests_stale = False

    def _is_beside(self, request: PendingRequest) -> bool:
        """Return True for a form of a client, and for what a client asked before the prompt: the run does not wait."""
        if request.is_of_session:
            return True
        age = run_age(self._client, self._run)
        return request.of_client and 0 < age < age_of(request.request_id, int(self._client.clock.now() * 1000))

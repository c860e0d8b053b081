"""The only module that sends replies to OpenCode's requests.

Tools, forms, tasks, operations and the policy's own replies all go through ``ReplySender``:

1. Find (``find``). The request is looked up in OpenCode. Its session and its run follow from the request itself, not
   from what the caller says. A request that is not found is not answered.
2. Check (``check``). ``answer_rules.py`` decides by the operator's policy, by what was noted about the run and about
   the runs above it, and by who answers. The strictest of these holds.
3. Send (``send``). OpenCode gets the reply. If the connection fails meanwhile, the error says whether the reply may
   have arrived. It is not sent again: another answerer may have been quicker.
4. Note (``note``). The answer to a permission is noted in the session, with who gave it, so that any bridge can report
   it. The answer holds without the note.

Rejected:

* A check in each tool, where the arguments are at hand. One that is forgotten would let an agent answer for a person.
* To trust the session that the caller names. A caller could then answer a request of a run with stricter rules.
* To note an answer before it is sent. The note would be wrong if OpenCode refuses the answer.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import (
    SCOPE_REMEDY,
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidArgument,
    NotAllowed,
    NotFound,
)
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.answers.answer_rules import (
    POLICY,
    Answerer,
    AnswerRules,
    PermissionReply,
    QuestionReply,
    RequestReply,
    is_rejection,
)
from opencode_mcp.runs.outcome.endings import QUESTION_TOOL, refusal_text
from opencode_mcp.runs.outcome.run_report import Decision, PendingRequest
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.requests.answers_as_sent import fit_answers, read_differently
from opencode_mcp.runs.requests.open_requests import Requests, is_of_directory
from opencode_mcp.runs.requests.request_descriptions import OpenRequest, describe
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Note, combined
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.session_history.given_answers import GivenAnswer, answers_in, metadata_with

logger = logging.getLogger(__name__)

OPERATOR_HINT = (
    "You may reject it. opencode_abort stops the run. opencode_wait asks the person, where the host can. With the "
    "setting --permissions agent, agents may answer in runs that are started afterwards."
)
REFUSALS_KEPT = 1000
SPREAD_SECONDS = 2.0
"""Time within which OpenCode closes the other permissions of a session after a refusal, or a permanent answer."""
NOTE_SECONDS = 2.0
"""Time for noting an answer, which is given already."""
RIGHTS_CHANGED = "The rights under which this was to be answered have changed, so it is still open."
CheckSession = Callable[[str], Awaitable[Session]]
"""Gives the session of an id, or raises why it is not the caller's."""


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """An open request, and whose it is."""

    request: OpenRequest
    session: Session
    """The session that asks."""
    parents: Sequence[Session]
    """The sessions whose subagent that is, from the nearest to the root."""


class ReplySender:
    """Sends replies to OpenCode, after the rules allowed them.

    Args:
        client: Reaches OpenCode.
        requests: Finds what is asked.
        runs: Finds the run that a request belongs to.
        answer_rules: The rules.
        check_session: Holds sessions to the allowed directories.
        have_rights_changed: Returns True once the rules hold no more, so that nothing is sent.
    """

    def __init__(
        self,
        client: OpenCodeClient,
        requests: Requests,
        runs: Runs,
        answer_rules: AnswerRules,
        check_session: CheckSession,
        have_rights_changed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._client = client
        self._requests = requests
        self._runs = runs
        self._check_session = check_session
        self._have_rights_changed = have_rights_changed
        self.answer_rules = answer_rules
        self.refused = BoundedDict[str, list[Decision]](REFUSALS_KEPT)
        """Permissions that a person or an agent refused from here, by the prompt whose run asked."""
        self.refusals = BoundedDict[str, str](REFUSALS_KEPT)
        """Sentences on the refusals that were sent from here, by the prompt whose run they end."""
        self.sent = BoundedDict[str, bool](REFUSALS_KEPT)
        """Requests that were answered from here."""
        self._spread = BoundedDict[str, float](REFUSALS_KEPT)
        """Times of the answers from here that hold for other permissions of their session, too."""

    async def find(self, request_id: str, session_id: str = "", directories: Sequence[str] = ()) -> FoundRequest:
        """Find an open request.

        Args:
            request_id: Its id.
            session_id: The session that it should be of; empty: whichever it is of.
            directories: Where to look for it beside the event stream; none: in the session's own.

        Raises:
            NotFound: OpenCode does not wait for it.
            InvalidArgument: Another session than the named one asks.
            NotAllowed: It is of a session outside the allowed directories.
        """
        places, session = directories, None
        if known := session_id or self._requests.session_of(request_id):
            session = await self._owner(known, "" if session_id else request_id)
            places = [session.directory]
        request = await self._request(request_id, places, known)
        if session_id:
            _check_asker(request, session_id)
        if session is None or session.id != request.session_id:
            session = await self._owner(request.session_id, request_id)
        if not await self._requests.still_waits(request, session.directory):
            raise NotFound(_gone(request_id))
        return FoundRequest(request, session, await self._parents(session))

    async def _request(self, request_id: str, places: Sequence[str], session_id: str) -> OpenRequest:
        """Return a request from the event stream or the lists of some directories.

        Args:
            request_id: The request.
            places: The directories.
            session_id: The session for which a question of a directory is answered; empty if it is not known.

        Raises:
            NotFound: It is not listed, or the session does not wait for it.
            InvalidArgument: It is of a directory, and the session is not known.
        """
        request = await self._requests.find(request_id, places)
        if request is None:
            raise NotFound(_gone(request_id))
        return await self._assigned(request, session_id) if is_of_directory(request) else request

    async def _parents(self, session: Session) -> list[Session]:
        """Return the sessions whose subagent a session is, from the nearest to the root."""
        line = (await self._requests.lineage(session.id))[1:]
        return [await self._check_session(name) for name in line]

    async def _owner(self, session_id: str, request_id: str) -> Session:
        """Return the session of a request.

        Args:
            session_id: The session.
            request_id: The request, if its caller did not name the session and must not learn of it.

        Raises:
            NotFound: The session, or as far as the caller knows the request, does not exist.
            NotAllowed: It is outside the allowed directories.
        """
        try:
            return await self._check_session(session_id)
        except NotFound as error:
            if not request_id:
                raise
            raise NotFound(_gone(request_id)) from error

    async def _assigned(self, question: Question, session_id: str) -> Question:
        """Return a question of a directory as one of the session that the caller names.

        Raises:
            NotFound: That session does not wait for it.
            InvalidArgument: The caller names none.
            NotAllowed: The session is outside the allowed directories.
        """
        if not session_id:
            raise InvalidArgument(
                f"OpenCode does not know which session the request {question.id!r} is of.",
                hint="Give the session_id that the report's `pending` names.",
            )
        session = await self._check_session(session_id)
        assigned = await self._requests.assigned(question, session.id, session.directory)
        if assigned is None:
            raise NotFound(_gone(question.id))
        return assigned

    async def send(self, asked: FoundRequest, reply: RequestReply, by: Answerer) -> str:
        """Send a reply (``permission.reply``, ``question.reply``, ``question.reject``).

        Returns:
            A note on answers that were read as something else than they say; usually empty.

        Raises:
            NotAllowed: The answerer may not give it.
            NotFound: The request is not open any more.
            InvalidArgument: The answers do not fit the questions, or the request is of another kind.
            BackendError: OpenCode could not be reached; after a failed connection the hint says if it has the answer.
        """
        pending = describe(asked.request, subagent=bool(asked.parents))
        run = await self.run_of(asked.session, *asked.parents)
        self.check(run, pending, reply, by)
        self.sent[asked.request.id] = True
        if isinstance(reply, PermissionReply) and reply.reply != "once":
            self._spread[asked.session.id] = anyio.current_time()
        try:
            outcome = await self._deliver(asked, reply)
        except (BackendTimeout, BackendUnavailable) as error:
            error.hint = _whether_given(asked, error)
            raise
        ends_run = _ends_run(asked, reply)
        if isinstance(asked.request, Permission) and isinstance(reply, PermissionReply) and by != POLICY:
            await self.note(run, asked.request, reply.reply, by.who, reply.message, ends_run=ends_run)
            self._keep_refusal(run, pending, reply, by)
        if ends_run:
            self.refusals[run.message_id] = _refusal_of(asked.request)
        return outcome

    def _keep_refusal(self, run: Run, pending: PendingRequest, reply: PermissionReply, by: Answerer) -> None:
        """Keep a permission that was refused for the report of its run."""
        if reply.reply != "reject":
            return
        refused = Decision(
            permission=pending.permission,
            patterns=pending.patterns,
            reply=reply.reply,
            by=by.who,
            message=reply.message,
        )
        self.refused.setdefault(run.message_id, []).append(refused)

    def closes_others(self, session_id: str) -> bool:
        """Return True if an answer from here has just closed other permissions of a session, too."""
        return anyio.current_time() - self._spread.get(session_id, -math.inf) < SPREAD_SECONDS

    async def note(
        self, run: Run, permission: Permission, reply: str, by: str, reason: str = "", *, ends_run: bool = False
    ) -> None:
        """Note the answer to a permission in the session of its run (``session.update``); a failure is no loss.

        Args:
            run: The run.
            permission: The permission.
            reply: ``once``, ``always`` or ``reject``; empty if it is not known.
            by: ``person`` or ``agent``; empty if it was only seen, and is noted only if nobody else has done so.
            reason: Reason of a refusal.
            ends_run: Whether the run ends with the refusal.
        """
        now = self._client.clock.now() * 1000
        call = permission.tool.call_id if permission.tool else ""
        asked = now - age_of(permission.id, int(now)) * 1000
        answer = GivenAnswer(permission.id, call, run.message_id, reply, by, asked, now, reason)
        if by and reply == "reject":
            subject = tuple(permission.patterns)
            answer = replace(answer, permission=permission.permission, patterns=subject, ends_run=ends_run)
        try:
            with anyio.move_on_after(NOTE_SECONDS):
                await self._write_note(run.session_id, answer)
        except BridgeError as error:
            logger.info("could not note the answer to %s: %s", permission.id, error)

    async def _write_note(self, session_id: str, answer: GivenAnswer) -> None:
        """Write an answer into the metadata of a session; one that was only seen, unless somebody has noted it."""
        async with self._runs.turns.alone_in(session_id):
            session = await self._client.session_get(session_id)
            noted = {known.request_id for known in answers_in(session)}
            if answer.by or answer.request_id not in noted:
                await self._client.session_set_metadata(session, metadata_with(session, answer))

    async def _deliver(self, asked: FoundRequest, reply: RequestReply) -> str:
        """Call the operation that takes a reply; see ``send``."""
        request, directory = asked.request, asked.session.directory
        match request, reply:
            case Permission(), PermissionReply():
                await self._client.permission_reply(request, directory, reply.reply, reply.message)
            case Question(), QuestionReply(answers=answers) if answers is not None:
                fitted = fit_answers(request, answers)
                await self._client.question_reply(request, directory, fitted)
                return read_differently(request, answers, fitted)
            case Question(), QuestionReply():
                await self._client.question_reject(request, directory)
            case _:
                kind = describe(request, subagent=False).kind
                raise InvalidArgument(f"{request.id!r} is a {kind}.", hint=f"Answer it with opencode_reply_{kind}.")
        return ""

    def check(self, run: Run, pending: PendingRequest, reply: RequestReply, by: Answerer) -> None:
        """Refuse what may not be answered so.

        Raises:
            NotAllowed: The rules forbid it, or hold no more; the hint says what else can be done.
        """
        if self._have_rights_changed():
            raise NotAllowed(RIGHTS_CHANGED, hint="Call again, with the new rights.")
        if reason := self.answer_rules.refusal(run, pending, reply, by):
            raise NotAllowed(reason, hint=self._way_out(pending, reply), scope=self.answer_rules.missing_scope)

    def _way_out(self, pending: PendingRequest, reply: RequestReply) -> str:
        """Return what helps after a refusal; empty if only a change of the settings does."""
        if self.answer_rules.missing_scope:
            return SCOPE_REMEDY
        return "" if self.answer_rules.closed(pending, reject=is_rejection(reply)) else OPERATOR_HINT

    async def run_of(self, *sessions: Session) -> Run:
        """Return the run of the last of some sessions, as strict as what was noted for any of them.

        A session's note is for one prompt. Its subagents may still work for that prompt when the session has gone on to
        another one, so for them its strictness holds in any case.
        """
        runs = [await self._latest(session) for session in sessions]
        kept = [replace(note, starter="") for parent in sessions[1:] for note in self._runs.notes.of(parent)]
        noted = [Note(run.message_id, run.caller_limit, run.starter, run.policies) for run in runs]
        caller_limit, starter, policies = combined([*kept, *noted])
        return replace(runs[-1], caller_limit=caller_limit, starter=starter, policies=policies)

    async def _latest(self, session: Session) -> Run:
        try:
            return await self._runs.find(session)
        except NotFound:
            # Nothing was prompted there by the API that runs use.
            return Run(session.directory, session.id, "")


def _whether_given(asked: FoundRequest, error: BackendError) -> str:
    """Return the hint after a failed connection: whether OpenCode has the answer, and what shows it."""
    is_unsent = isinstance(error, BackendUnavailable) and not error.sent
    known = "The answer was not given." if is_unsent else "It is not known whether OpenCode has the answer."
    session = f'opencode_wait(session_id="{asked.session.id}")'
    return f"{known} {session} shows if {asked.request.id} is still open; answer it again only then."


def _check_asker(request: OpenRequest, session_id: str) -> None:
    """Raise ``InvalidArgument`` if another session than the named one asks."""
    if request.session_id != session_id:
        raise InvalidArgument(
            f"The request {request.id!r} is not of the session {session_id}.",
            hint="Leave session_id out, or give the one that the report's `pending` names.",
        )


def _refusal_of(request: OpenRequest) -> str:
    """Return the sentence on a rejection that ended a run."""
    if isinstance(request, Permission):
        return refusal_text(request.permission or QUESTION_TOOL, ", ".join(request.patterns))
    return refusal_text(QUESTION_TOOL, "")


def _ends_run(asked: FoundRequest, reply: RequestReply) -> bool:
    """Return True if a reply ends the run: a rejection without an instruction, of a request of its own session."""
    if asked.parents or not is_rejection(reply):
        return False
    return not (isinstance(reply, PermissionReply) and reply.message)


def _gone(request_id: str) -> str:
    return f"The request {request_id!r} was not found: OpenCode does not wait for it."

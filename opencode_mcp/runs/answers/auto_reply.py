"""Answers the permissions that the operator's policy decides, and leaves the others open.

A task does so for the runs that this bridge started, whether or not somebody waits for them. A wait for any other run
does so too (``runs_under_policy.py``). The decisions are kept for the run's report.
"""

import logging
import math
from dataclasses import dataclass, field
from typing import Literal

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.opencode.vocabulary.backend_events import Event, Gap, PermissionAsked, RequestClosed
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission
from opencode_mcp.runs.answers.answer_rules import POLICY, PermissionReply
from opencode_mcp.runs.answers.reply_sender import ReplySender
from opencode_mcp.runs.outcome.run_report import Decision, PendingRequest
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.requests.request_descriptions import describe
from opencode_mcp.runs.run_record import Run

logger = logging.getLogger(__name__)

RUNS_KEPT = 1000
REFUSAL = "The permission policy of this session does not allow that. Do without it."


@dataclass(slots=True)
class _Attempt:
    """Attempt to answer a permission, which another task may wait for."""

    is_over: anyio.Event = field(default_factory=anyio.Event)
    has_closed: bool = False
    """True if the request is closed now."""


class AutoReply:
    """Answers permissions by policy.

    Args:
        hub: Delivers the permissions that are asked.
        requests: Finds permissions.
        reply_sender: Sends the answers.
    """

    def __init__(self, hub: Hub, requests: Requests, reply_sender: ReplySender) -> None:
        self._hub = hub
        self._requests = requests
        self._reply_sender = reply_sender
        self._watched = BoundedDict[str, Run](RUNS_KEPT)
        self._decisions = BoundedDict[str, list[Decision]](RUNS_KEPT)
        """By the prompt; by the session while OpenCode has not named the prompt of a command."""
        self._open = BoundedDict[str, Permission](RUNS_KEPT)
        """Permissions whose request was seen, and not yet the answer."""
        self._attempts: dict[str, _Attempt] = {}
        """Attempts that are under way, by the id of the request."""

    def add(self, run: Run) -> None:
        """Answer for a run also while nobody waits for it.

        A command of OpenCode 2 is added twice: before it is sent, and when OpenCode has named its prompt.
        """
        self._watched[run.session_id] = run
        if not run.message_id:
            self._decisions.pop(run.session_id, None)
        elif early := self._decisions.pop(run.session_id, None):
            self._decisions[run.message_id] = early

    def decisions_of(self, run: Run) -> list[Decision]:
        """Return the decisions of the policy in a run, oldest first."""
        return self._decisions.get(run.message_id, [])

    def _decisions_key(self, run: Run) -> str:
        watched = self._watched.get(run.session_id)
        return run.message_id or (watched.message_id if watched else "") or run.session_id

    async def watch(self) -> None:
        """Answer the permissions of the added runs for as long as the task runs."""
        with self._hub.listen(EVERYTHING) as listener:
            while True:
                for event in await listener.wait(math.inf):
                    await self._handle(event)

    async def _handle(self, event: Event) -> None:
        match event:
            case PermissionAsked(permission=permission):
                self._open[permission.id] = permission
                await self._answer_watched(permission)
            case RequestClosed():
                await self._note_seen(event)
            case Gap():
                await self._catch_up()
            case _:
                pass

    async def _note_seen(self, event: RequestClosed) -> None:
        """Note the answer to a permission of an added run that somebody gave elsewhere, such as in OpenCode's terminal.

        What OpenCode closes along with a permission that was answered here is no answer of its own.
        """
        permission = self._open.pop(event.request_id, None)
        if permission is None or event.request_id in self._reply_sender.sent:
            return
        run = self._watched.get(self._hub.lineage(permission.session_id)[-1])
        if run is not None and not self._reply_sender.closes_others(permission.session_id):
            await self._reply_sender.note(run, permission, event.reply, by="")

    async def _catch_up(self) -> None:
        """Answer the permissions that were asked while no events came."""
        for directory in {run.directory for run in self._watched.values()}:
            try:
                asked = await self._requests.listed(directory)
            except BridgeError as error:
                logger.info("could not look for permissions in %s: %s", directory, error)
                continue
            for request in asked:
                if isinstance(request, Permission):
                    await self._answer_watched(request)

    async def _answer_watched(self, permission: Permission) -> None:
        try:
            root = (await self._requests.lineage(permission.session_id))[-1]
        except BridgeError as error:
            # OpenCode keeps the requests of sessions that were deleted.
            logger.info("could not find the run that asks for %s: %s", permission.id, error)
            return
        run = self._watched.get(root)
        if run is not None:
            await self.answer(run, describe(permission, subagent=root != permission.session_id))

    async def answer(self, run: Run, request: PendingRequest) -> bool:
        """Answer a request if policy decides it, and return True if it is closed.

        ``watch`` and a wait may do so at once: the second one answers only if the first one failed.
        """
        reply = self._reply_sender.answer_rules.automatic(run, request)
        if reply is None:
            return False
        if first := self._attempts.get(request.request_id):
            await first.is_over.wait()
            if first.has_closed:
                return True
        attempt = self._attempts[request.request_id] = _Attempt()
        try:
            attempt.has_closed = await self._reply(run, request, reply)
        finally:
            del self._attempts[request.request_id]
            attempt.is_over.set()
        return attempt.has_closed

    async def _reply(self, run: Run, request: PendingRequest, reply: Literal["once", "reject"]) -> bool:
        """Send a reply of the policy, and return True if the request is closed."""
        message = REFUSAL if reply == "reject" else ""
        try:
            asked = await self._reply_sender.find(request.request_id, request.session_id)
            await self._reply_sender.send(asked, PermissionReply(reply, message), POLICY)
        except NotFound:
            return True  # Somebody else was quicker.
        except BridgeError as error:
            logger.warning("could not answer the permission %s: %s", request.request_id, error)
            return False
        decision = Decision(permission=request.permission, patterns=request.patterns, reply=reply)
        self._decisions.setdefault(self._decisions_key(run), []).append(decision)
        return True

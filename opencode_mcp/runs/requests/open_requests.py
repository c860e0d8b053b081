"""Permissions and questions that OpenCode waits for: which are open, and whose they are.

OpenCode keeps them in memory, one list for each directory, and leaves entries behind when a session is aborted or
deleted. So an entry is believed only while its session is busy and its tool call has not ended. Replies are sent by
``answers/reply_sender.py``.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode import backend_events
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import Permission, Question, QuestionItem, ToolPart
from opencode_mcp.runs.report import PendingRequest
from opencode_mcp.runs.requests.call_input import input_text

logger = logging.getLogger(__name__)

SHOWN_METADATA = ("command", "filepath", "diff", "url", "description")
DIFF_LIMIT = 4000
REQUESTS_KEPT = 1000
DEEPEST = 50
"""Sessions above a session: each of them is a request to OpenCode."""

Request = Permission | Question
ENDED = frozenset({"completed", "error"})
Asking = TypeVar("Asking", Permission, Question)
CLOSERS = (backend_events.RequestClosed, backend_events.Idle, backend_events.Gap, backend_events.Lost)


class Requests:
    """The open requests of a server.

    Args:
        client: Reaches OpenCode.
        hub: Knows which session is whose subagent, and what was seen asked.
    """

    def __init__(self, client: OpenCodeClient, hub: Hub) -> None:
        self._client = client
        self._hub = hub
        self._reported = BoundedDict[str, str](REQUESTS_KEPT)

    def remember(self, pending: Sequence[PendingRequest]) -> None:
        """Remember the sessions of requests that are reported: they may be answered after they were closed."""
        for request in pending:
            self._reported[request.request_id] = request.session_id

    def session_of(self, request_id: str) -> str:
        """Return the session of a request that was reported before; empty where it was not."""
        return self._reported.get(request_id, "")

    async def listed(self, directory: str) -> list[Request]:
        """The requests of a directory's sessions, those left behind too (``permission.list``, ``question.list``)."""
        permissions = await self._read(self._client.permissions, Permission, directory)
        questions = await self._read(self._client.questions, Question, directory)
        return [*permissions, *questions]

    async def _read(
        self, read: Callable[[str], Awaitable[list[Asking]]], kind: type[Asking], directory: str
    ) -> list[Asking]:
        """Read a list; if OpenCode cannot return it, use the requests that the stream delivered, of every directory.

        OpenCode 1.18.33 refuses the whole list of permissions while one of them has an argument left out.
        """
        try:
            return await read(directory)
        except BackendFailed as error:
            logger.info("%s; the requests that the event stream told of are used instead", error.message)
            return [request for request in self._hub.asked() if isinstance(request, kind)]

    async def open(self, directory: str, session_id: str) -> list[PendingRequest]:
        """Return the open requests of a session and its subagents (``permission.list``, ``question.list``)."""
        found = await self.listed(directory)
        if not found:
            return []
        busy = await self._client.session_status(directory)
        described = [
            await self._described(request, subagent=request.session_id != session_id)
            for request in found
            if request.session_id in busy and session_id in await self._line(request.session_id)
        ]
        return [request for request in described if request]

    async def wait_closed(self, request: PendingRequest, directory: str, seconds: float) -> bool:
        """Wait until a request is answered, by whomever, but no longer than given; say whether it is.

        Raises:
            BackendError: OpenCode could not be asked.
        """
        with self._hub.listen(request.session_id) as listener:
            if not await self._is_open(request, directory):
                return True
            deadline = anyio.current_time() + seconds
            while (left := deadline - anyio.current_time()) > 0:
                events = await listener.wait(left)
                if any(isinstance(event, CLOSERS) for event in events):
                    return not await self._is_open(request, directory)
        return False

    async def _is_open(self, request: PendingRequest, directory: str) -> bool:
        found = await self.find(request.request_id, [directory])
        return found is not None and await self.still_waits(found, directory)

    async def find(self, request_id: str, directories: Sequence[str]) -> Request | None:
        """The request of an id, left behind or not: from the event stream, or from the lists of the directories."""
        for request in self._hub.asked():
            if request.id == request_id:
                return request
        for directory in directories:
            for request in await self.listed(directory):
                if request.id == request_id:
                    return request
        return None

    async def still_waits(self, request: Request, directory: str) -> bool:
        """Return True if OpenCode still waits for an answer (``session.status``, ``session.message``).

        Args:
            request: From ``find``.
            directory: That of the session that asks.
        """
        if request.session_id not in await self._client.session_status(directory):
            return False
        return await self._described(request, subagent=False) is not None

    async def lineage(self, session_id: str) -> list[str]:
        """The session and its parents, up to the one that has none (``session.get``).

        Raises:
            BackendFailed: It has more than ``DEEPEST`` of them: what was decided for the topmost one is not known.
            BackendError: OpenCode could not be asked.
        """
        line = await self._line(session_id)
        if len(line) > DEEPEST:
            raise BackendFailed(
                f"The session {session_id} has more than {DEEPEST} sessions above it.",
                hint="Nothing that it asks is answered here. opencode_abort stops it.",
            )
        return line

    async def _line(self, session_id: str) -> list[str]:
        """The session and its parents, the topmost left out where there are very many.

        The hub may know the lower part alone, for instance after a restart of the bridge, so the last one is asked for.
        """
        line = self._hub.lineage(session_id)
        while len(line) <= DEEPEST:
            parent = await self._parent(line[-1])
            if not parent or parent in line:
                break
            self._hub.adopt(line[-1], parent)
            line = self._hub.lineage(session_id)
        return line

    async def _parent(self, session_id: str) -> str:
        """Return the parent of a session; empty for one that is no subagent, and for one that was deleted."""
        try:
            return (await self._client.session_get(session_id)).parent_id or ""
        except NotFound:
            # Deleted, which stops nothing: it may still be busy, and ask.
            return ""

    async def _described(self, request: Request, *, subagent: bool) -> PendingRequest | None:
        """Describe a request with the input of the tool call that asks; ``None`` if that has ended."""
        try:
            call = await self._call(request)
        except NotFound:
            return None
        return None if call and call.state.status in ENDED else describe(request, call, subagent=subagent)

    async def _call(self, request: Request) -> ToolPart | None:
        """The tool call that asked (``session.message``); ``None`` for a request without one, which is believed.

        Raises:
            NotFound: The message that it was of is gone.
        """
        if request.tool is None:
            return None
        message = await self._client.session_message(request.session_id, request.tool.message_id)
        calls = [part for part in message.parts if isinstance(part, ToolPart) and part.call_id == request.tool.call_id]
        return calls[0] if calls else None


def fit_answers(question: Question, answers: Sequence[Sequence[str]]) -> list[list[str]]:
    """Check answers against the questions, and spell labels as OpenCode does.

    Raises:
        InvalidArgument: The number of answers differs, or an answer is neither a label nor allowed in own words.
    """
    if len(answers) != len(question.questions):
        raise InvalidArgument(
            f"{len(answers)} answers were given to {len(question.questions)} questions.", hint=_labels_hint(question)
        )
    return [_fit(item, answer, question) for item, answer in zip(question.questions, answers, strict=True)]


def _fit(item: QuestionItem, answer: Sequence[str], question: Question) -> list[str]:
    labels = {option.label.casefold(): option.label for option in item.options}
    if not _has_right_number(item, answer):
        number = "one or more answers" if item.multiple else "one answer"
        raise InvalidArgument(f"The question {item.question!r} takes {number}.", hint=_labels_hint(question))
    fitted: list[str] = []
    for text in answer:
        label = labels.get(text.casefold())
        if label is None and not item.custom:
            raise InvalidArgument(f"{text!r} is not an answer to {item.question!r}.", hint=_labels_hint(question))
        fitted.append(label or text)
    return fitted


def _has_right_number(item: QuestionItem, answer: Sequence[str]) -> bool:
    return len(answer) >= 1 if item.multiple else len(answer) == 1


def _labels_hint(question: Question) -> str:
    offers = "; ".join(
        f"{item.question!r}: {', '.join(repr(option.label) for option in item.options) or 'own words'}"
        for item in question.questions
    )
    return f"Give one list of answers for each question, in order. {offers}."


def describe(request: Request, call: ToolPart | None = None, *, subagent: bool) -> PendingRequest:
    """Say what is asked, in a form that a person or an agent can decide on.

    Args:
        request: What OpenCode asks.
        call: The tool call that asks it, where there is one.
        subagent: Whether a subagent asks.
    """
    if isinstance(request, Question):
        return PendingRequest(
            request_id=request.id,
            kind="question",
            session_id=request.session_id,
            subagent=subagent,
            asks="\n".join(item.question for item in request.questions),
            questions=[_plain(item) for item in request.questions],
        )
    return PendingRequest(
        request_id=request.id,
        kind="permission",
        session_id=request.session_id,
        subagent=subagent,
        asks=_permission_text(request, call),
        permission=request.permission,
        patterns=request.patterns,
        always=request.always,
    )


def _plain(item: QuestionItem) -> dict[str, Any]:
    options = [option.model_dump(include={"label", "description"}) for option in item.options]
    kept: dict[str, Any] = {"question": item.question, "options": options, "multiple": item.multiple}
    return kept | ({"header": item.header} if item.header else {}) | {"own_words": item.custom}


def _permission_text(permission: Permission, call: ToolPart | None) -> str:
    asked = f"{permission.permission}: {', '.join(permission.patterns)}"
    told = [name for name in SHOWN_METADATA if (value := permission.metadata.get(name)) and str(value) not in asked]
    text = "\n".join([asked, *(_shown(name, permission.metadata) for name in told)])
    # A diff shows what the call of an edit holds.
    given = input_text(call, text) if call and not permission.metadata.get("diff") else ""
    return f"{text}\n{given}" if given else text


def _shown(name: str, metadata: Mapping[str, Any]) -> str:
    text = str(metadata[name]).strip()
    cut = text if len(text) <= DIFF_LIMIT else text[:DIFF_LIMIT] + "\n… (cut)"
    return f"{name}:\n{cut}" if "\n" in cut else f"{name}: {cut}"

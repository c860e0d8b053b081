"""Reading a run's record ahead of its end.

OpenCode tells of the end of a run's last step some 20 ms before it calls the session idle, and is slow to answer for
some 20 ms after that. So the messages are read in between. They are accepted if the stream then tells the rest of a
good end and nothing else: the same message complete, and the session idle. After anything else they are read as ever.

OpenCode is busy between the two, and the read delays it. So the first answer to a prompt is read earlier, while the
model writes it and OpenCode waits, and is kept current from the stream (``unfinished_answer.py``). A later answer is
read at its end: reading the messages in every step would cost more than it saves.

On a busy machine, and often on OpenCode 2, these events arrive all at once. Then the messages are read after them. That
takes one read: the status, and whether the session has gone on, need no reads of their own.

What a report tells of the session is read when the wait begins, and kept up to date.
"""

import logging
from dataclasses import dataclass, replace

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.events.session_state import SessionState
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.runs.following.unfinished_answer import UnfinishedAnswer
from opencode_mcp.runs.run_record import Run, SessionRecord, last_answers, read_session

logger = logging.getLogger(__name__)

RETRY = "retry"
"""Status of a session that waits before it asks the model again."""
IN_WRITING_SECONDS = 1.0
"""Most time for the read of an answer that is being written."""


@dataclass(frozen=True, slots=True)
class Record:
    """Record of a run that was read ahead."""

    answers: list[Message]
    """The last messages of the assistant, oldest first."""
    is_whole: bool
    """True if these are all of its messages since the prompt."""
    session: SessionRecord

    def completed_by(self, message: MessageInfo) -> "Record | None":
        """Return the record with its last message complete; ``None`` if that is another one."""
        if not self.answers or self.answers[-1].info.id != message.id:
            return None
        last = self.answers[-1].model_copy(update={"info": message})
        return replace(self, answers=[*self.answers[:-1], last])


class ReadAhead:
    """Reads the record of one run when the stream tells that its last step has ended.

    Args:
        client: Reads it.
        run: The run.
    """

    def __init__(self, client: OpenCodeClient, run: Run) -> None:
        self._client = client
        self._run = run
        self._session: SessionRecord | None = None
        self._begun = False
        self._writing: UnfinishedAnswer | None = None
        """The first answer that the stream shows while it is written; no other is read in writing."""
        self._forget()

    def _forget(self) -> None:
        self._due = False
        self._read: Record | None = None
        self._ended: MessageInfo | None = None
        """The complete last message, if the stream reported it before the messages were read."""
        self._is_idle = False
        self._completed: Record | None = None
        self.record: Record | None = None
        """Record of a run whose good end the stream delivered in full; ``None`` for any other."""

    async def begin(self, known: SessionRecord | None = None) -> None:
        """Read the session's part of the report, once, unless it is known; a read that fails costs only time later."""
        if self._begun:
            return
        self._begun = True
        if known:
            self._session = known
            return
        try:
            self._session = await read_session(self._client, self._run.session_id)
        except BackendError as error:
            logger.info("could not read %s ahead: %s", self._run.session_id, error)

    def notice(self, event: backend_events.Event) -> None:
        """Take in an event; one that is no part of a good end makes what was read invalid."""
        if isinstance(event, backend_events.Gap):
            self._session = None
        elif self._session:
            self._session = folded(self._session, event, self._run.session_id)
        if event.session_id in {self._run.session_id, ""}:
            self._add(event)

    def _add(self, event: backend_events.Event) -> None:
        match event:
            case backend_events.MessageChanged(message=message) if message.role == "assistant":
                self._add_answer(message)
            case backend_events.Idle():
                self._is_idle = True
                self._conclude()
            case backend_events.StatusChanged(status=status) if status.type != RETRY:
                pass
            case backend_events.MessageChanged() | backend_events.SessionChanged():
                pass
            case _:
                self._forget()
                self._add_to_unfinished(event)

    def _add_to_unfinished(self, event: backend_events.Event) -> None:
        if self._writing is None and isinstance(event, backend_events.PartGrew):
            self._writing = UnfinishedAnswer(event.message_id)
        if self._writing:
            self._writing.add_event(event)

    def _add_answer(self, message: MessageInfo) -> None:
        read, is_due = self._read, self._due
        self._forget()
        if not self._is_good_end(message):
            return
        if answer := self._written(message):
            self._completed = answer if message.time.completed is not None else None
        elif message.time.completed is None:
            self._due = True
        elif read:
            self._completed = read.completed_by(message)
        elif is_due:
            self._due, self._ended = True, message

    def _is_good_end(self, message: MessageInfo) -> bool:
        """Return True if a message is the last step of the run, and has no error."""
        return message.parent_id == self._run.message_id and not message.error and message.has_last_step

    def _written(self, message: MessageInfo) -> Record | None:
        """Return the record of an answer that was read while it was written; otherwise it is read at its end."""
        if self._writing is None or self._session is None:
            return None
        answer = self._writing.ended_by(message)
        if answer is None:
            self._writing.spoil()
            return None
        return Record([answer], is_whole=True, session=self._session)

    def _conclude(self) -> None:
        """Accept what was read if the stream has reported the rest of a good end."""
        if self._is_idle and self._completed and self._session:
            self.record = replace(self._completed, session=self._session)

    async def read_if_due(self) -> None:
        """Read the messages if a first text has just come or a last step has ended; a read that fails is no loss."""
        if not self._session:
            return
        if self._writing and self._writing.is_due:
            await self._read_in_writing(self._writing)
        if self._due:
            self._due = False
            answers, is_whole = await self._read_answers()
            self._read = Record(answers, is_whole, self._session)
            self._conclude_read(self._read)

    async def _read_in_writing(self, writing: UnfinishedAnswer) -> None:
        """Read an answer while it is written; a read that takes long is given up, since no event is taken meanwhile."""
        with anyio.move_on_after(IN_WRITING_SECONDS) as limit:
            answers, is_whole = await self._read_answers()
            writing.take(answers, is_whole=is_whole)
        if limit.cancelled_caught:
            writing.spoil()

    async def _read_answers(self) -> tuple[list[Message], bool]:
        """Return the last answers, and whether these are all; none if they cannot be read."""
        try:
            return await last_answers(self._client, self._run)
        except BackendError as error:
            logger.info("could not read %s ahead: %s", self._run.session_id, error)
            return [], False

    def _conclude_read(self, read: Record) -> None:
        """Accept what was read if the stream had reported the end before."""
        if self._ended:
            self._completed = read.completed_by(self._ended)
            self._conclude()


def known_record(state: SessionState) -> SessionRecord | None:
    """Return the record of a session from the stream; ``None`` if it may have missed something."""
    return SessionRecord(state.title, state.todos, list(state.children)) if state.complete else None


def folded(record: SessionRecord, event: backend_events.Event, session_id: str) -> SessionRecord:
    """Return the session's part of a report after an event of the session or of a subagent."""
    match event:
        case backend_events.TodosChanged(session_id=changed, todos=todos) if changed == session_id:
            return replace(record, todos=todos)
        case backend_events.SessionChanged(session=session) if session.id == session_id:
            return replace(record, title=session.title or record.title)
        case backend_events.SessionChanged(session=session) if session.parent_id == session_id:
            return _with_child(record, session.id)
        case backend_events.PartChanged(session_id=changed) if changed == session_id:
            return _with_child(record, event.child_session)
        case _:
            return record


def _with_child(record: SessionRecord, child: str) -> SessionRecord:
    known = not child or child in record.children
    return record if known else replace(record, children=[*record.children, child])

"""The events of a run become lines that tell a person what OpenCode is doing.

Pure: it gets events and times, and keeps only a few lines that were not sent yet.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

from opencode_mcp.events.session_state import Draft, drafted
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.call_subject import call_subject
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.text.outside_text import shorten

LINE_LIMIT = 160
LINES_KEPT = 6
REPORTED_BY_OTHER_EVENTS = frozenset({"todowrite", "question"})
"""Tools whose calls have events of their own, which say more."""


class Progress:
    """Lines about one run and its subagents.

    Args:
        session_id: The run's session; events of others are its subagents'.
        message_id: The prompt's; its text is not the model's.
        directory: The project's directory; paths in it are shown relative to it.
        clock: Tells the milliseconds since the epoch, as OpenCode's own moments are given.
        draft: What the session was writing before.
    """

    def __init__(
        self,
        session_id: str,
        message_id: str,
        directory: str,
        clock: Callable[[], float],
        draft: Draft | None = None,
    ) -> None:
        self._session_id = session_id
        self._message_id = message_id
        self._clock = clock
        self._directory = directory.rstrip("/\\")
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._sent_tools: dict[str, str] = {}
        self._draft = draft
        self._written = self._sent_written = self._draft.length if self._draft and self.text else 0

    def add(self, event: backend_events.Event) -> None:
        """Take note of an event."""
        if event.session_id in {self._session_id, ""}:
            self._add_text(event)
        line = self._line(event)
        if line:
            prefix = "subagent: " if event.session_id not in {"", self._session_id} else ""
            self._lines.append(shorten(prefix + line, LINE_LIMIT))

    @property
    def text(self) -> str:
        """Return the text that the model is writing, as far as it is known."""
        return self._draft.text if self._draft and self._draft.message_id != self._message_id else ""

    @property
    def has_news(self) -> bool:
        """Return True if there is something to send."""
        return bool(self._lines) or self._written > self._sent_written

    def take(self) -> str:
        """Give what is new since the last time, as one text; empty when nothing is."""
        if not self._lines and self._written > self._sent_written:
            self._lines.append(writing(self._written))
        self._sent_written = self._written
        text = " · ".join(self._lines)
        self._lines.clear()
        return text

    def _line(self, event: backend_events.Event) -> str:
        match event:
            case backend_events.PartChanged(part=part) if part.get("type") == "tool":
                return self._tool_line(part)
            case backend_events.TodosChanged(todos=todos):
                done = sum(todo.status == "completed" for todo in todos)
                return f"todos: {done} of {len(todos)} done"
            case backend_events.StatusChanged(status=status) if status.type == "retry":
                return retrying(status, self._clock())
            case _:
                return _request_line(event)

    def _add_text(self, event: backend_events.Event) -> None:
        before = self._draft
        self._draft = drafted(before, event)
        if isinstance(event, backend_events.PartGrew) and self._draft is not before and self.text:
            self._written += len(event.delta)

    def _tool_line(self, part: backend_events.JsonMap) -> str:
        state = cast("Mapping[str, Any]", part.get("state") or {})
        status, call = str(state.get("status")), str(part.get("id"))
        if status == "pending" or self._sent_tools.get(call) == status:
            return ""
        if status != "error" and part.get("tool") in REPORTED_BY_OTHER_EVENTS:
            return ""
        self._sent_tools[call] = status
        return self._finished_line(part, state) if status == "completed" else self._started_line(part, state, status)

    def _started_line(self, part: backend_events.JsonMap, state: Mapping[str, Any], status: str) -> str:
        subject = subject_of(cast("Mapping[str, Any]", state.get("input") or {}), self._directory)
        failed = f" failed: {state.get('error') or 'no reason given'}" if status == "error" else ""
        return f"{part.get('tool')}: {subject}{failed}" if subject or failed else str(part.get("tool"))

    def _finished_line(self, part: backend_events.JsonMap, state: Mapping[str, Any]) -> str:
        """Return the line for the end of a call: only a change of files adds something to the line of its start."""
        metadata = cast("Mapping[str, Any]", state.get("metadata") or {})
        difference = metadata.get("filediff")
        if not isinstance(difference, Mapping):
            return ""
        counts = cast("Mapping[str, Any]", difference)
        subject = subject_of(cast("Mapping[str, Any]", state.get("input") or {}), self._directory)
        return f"{part.get('tool')}: {subject} +{counts.get('additions', 0)} -{counts.get('deletions', 0)}"


def subject_of(arguments: Mapping[str, Any], directory: str) -> str:
    """Return the part of a tool call's input that best says what it works on; paths in the directory are relative."""
    return relative(call_subject(arguments), directory)


def relative(subject: str, directory: str) -> str:
    """Return a text with the paths in a directory relative to it."""
    return subject.replace(directory.rstrip("/\\") + "/", "") if directory else subject


def _request_line(event: backend_events.Event) -> str:
    match event:
        case backend_events.PermissionAsked(permission=permission):
            return f"waiting for a permission: {permission.permission} {', '.join(permission.patterns)}"
        case backend_events.QuestionAsked(question=question):
            return f"waiting for an answer: {question.questions[0].question if question.questions else ''}"
        case _:
            return ""


def writing(characters: int) -> str:
    """Return the line for a model that writes its answer."""
    return f"writing, {characters:,} characters"


def retrying(status: SessionStatus, now: float) -> str:
    """Return the line for a run whose model failed and is asked again.

    Args:
        status: Names the reason, and the time of the next attempt.
        now: Milliseconds since the epoch, by OpenCode's clock.
    """
    delay = max(status.next - now, 0) / 1000
    return f"retrying in {delay:.0f} s (attempt {status.attempt}): {status.message or 'the model failed'}"

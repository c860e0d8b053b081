"""Messages of OpenCode 2 as messages of the vocabulary. Pure.

OpenCode 2 lists the messages of a session in one order, without saying which prompt an assistant's message answers.
It works in *executions*: a stretch of messages that an ``idle`` message ends, with an outcome. Most have one prompt.
One can have several (prompts that were queued, or that joined the work between two steps), or none (the report of a
background subagent starts one).

This module reads the list in order and finds out:

* the prompt of each assistant's message: the message that started the work, which is a prompt, or a text that OpenCode
  added while nothing was worked on. A text that says that the server was restarted goes on with the prompt before it:
  the background service of the person's resumes what a stopped server worked on;
* the end of the work on each prompt: the last answer gets ``ended``, and the end and the error of the execution if it
  has none itself. A failure after a complete step, or before the first one, becomes an answer without content.

So the layers above see the end of each prompt without an event, as with OpenCode 1. A message that cannot be read is
left out, and the others are not affected.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.v2.failures import failure_of, interruption
from opencode_mcp.opencode.v2.messages import compactions_and_shell_lines, message_conversions
from opencode_mcp.opencode.v2.messages.message_conversions import empty_answer
from opencode_mcp.opencode.vocabulary.wire.message import LONGEST_PAUSE_MS, Message
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

CONVERTERS = {**message_conversions.CONVERTERS, **compactions_and_shell_lines.CONVERTERS}
"""Converters by the type of the message; messages of other types are left out."""
END = "idle"
"""Type of the message that ends an execution."""
STARTERS = frozenset({"synthetic", "skill", "compaction"})
"""Types of messages that start work if nothing is worked on; otherwise they are part of that work."""
RESUMED = "server restarted"
"""Part of the text that OpenCode adds when it resumes the work of a server that was stopped."""
LAST_STEP = "stop"
"""Value of ``finish`` of a step that is the last one."""


def to_messages(items: Sequence[object], session_id: str, *, prompt: str = "") -> list[Message]:
    """Convert messages of one session (``session.messages``).

    Args:
        items: OpenCode's messages, oldest first.
        session_id: The session, which OpenCode 2's messages do not name.
        prompt: Id of the prompt that is answered where the list begins, since a page may begin in the middle of an
            execution; empty if it is not known.
    """
    conversation = _Conversation(session_id, prompt)
    for item in items:
        if isinstance(item, Mapping):
            conversation.add(cast("JsonMap", item))
    return conversation.messages


class _Conversation:
    """Messages of a session so far, and the execution that they are part of."""

    def __init__(self, session_id: str, prompt: str) -> None:
        self.messages: list[Message] = []
        self._session_id = session_id
        self._prompt = prompt
        self._is_working = bool(prompt)
        self._is_first = True
        """True before the first message: nothing is known of those before it."""
        self._is_unanswered = False
        """True if the prompt is in the list, and no answer to it."""
        self._last: int | None = None
        """Index of the execution's last assistant message; ``None`` before the first one."""

    def add(self, item: JsonMap) -> None:
        """Add a message; one that is malformed or of an unknown type adds nothing."""
        kind, message_id = as_text(item.get("type")), as_text(item.get("id"))
        if not message_id:
            return
        try:
            if kind == END:
                self._end(item)
            elif kind in CONVERTERS:
                made = CONVERTERS[kind](item, self._session_id, self._prompt)
                self._add(kind, message_id, made, resumes=_resumes(item))
        except BackendFailed:
            return
        self._is_first = False

    def _add(self, kind: str, message_id: str, made: list[Message], *, resumes: bool) -> None:
        if kind == "user":
            self._mark_broken_step()
            made = [_with_info(made[0], joined=self._is_joined_by(made[0]))]
        if resumes and self._prompt:
            # As a message of the user it would end the run.
            made = [_with_info(made[0], role="system")]
        elif kind == "user" or (kind in STARTERS and not self._is_open()):
            self._begin(message_id)
        self.messages += made
        if kind in {"assistant", "compaction"}:
            self._last, self._is_working, self._is_unanswered = len(self.messages) - 1, True, False

    def _mark_broken_step(self) -> None:
        """Mark a step that has not ended when OpenCode takes a prompt as the last one: its server was killed in it."""
        if self._last is not None and not self.messages[self._last].info.is_complete:
            self.messages[self._last] = _with_info(self.messages[self._last], ended=True)

    def _is_joined_by(self, prompt: Message) -> bool:
        """Return True if OpenCode takes a prompt between two steps of the work on an earlier one."""
        return self._has_next_step() and not self._has_stopped_before(prompt)

    def _has_stopped_before(self, prompt: Message) -> bool:
        """Return True if OpenCode was ended after the last step, which was complete before it got a prompt.

        A prompt of a bridge's does not join work that goes on, and another one would have joined it without a pause.
        """
        completed = self.messages[self._last].info.time.completed if self._last is not None else None
        if completed is None:
            return False
        return prompt.info.joins_nothing or prompt.info.time.created - completed > LONGEST_PAUSE_MS

    def _begin(self, prompt: str) -> None:
        if self._last is not None and not self._has_next_step() and self.messages[self._last].info.is_complete:
            self.messages[self._last] = _with_info(self.messages[self._last], ended=True)
        self._prompt, self._is_working, self._is_unanswered, self._last = prompt, True, True, None

    def _is_open(self) -> bool:
        """Return True if OpenCode works on the prompt, and its last answer is not there yet."""
        return self._has_next_step() if self._last is not None else self._is_working

    def _has_next_step(self) -> bool:
        """Return True if the last step is complete and another one follows.

        An incomplete step that another message follows was broken off: OpenCode takes prompts between two steps.
        """
        if self._last is None:
            return False
        last = self.messages[self._last].info
        is_complete = last.time.completed is not None and last.error is None
        return is_complete and (last.summary is True or not last.has_last_step)

    def _end(self, item: JsonMap) -> None:
        """Note the end of an execution in its last answer, or in a new one."""
        milliseconds = as_number(as_map(item.get("time")).get("created")) or 0
        failure = _failure(as_text(item.get("outcome")), as_map(item.get("error")))
        if self._needs_answer(failure):
            answer = empty_answer(as_text(item.get("id")), self._session_id, self._prompt, milliseconds)
            changes = {"error": failure, "finish": _finish(failure)}
            self.messages.append(_with_info(answer, **changes))
            self._last = len(self.messages) - 1
        if self._last is not None:
            self.messages[self._last] = _ended(self.messages[self._last], milliseconds, failure)
        self._prompt, self._is_working, self._is_unanswered, self._last = "", False, False, None

    def _needs_answer(self, failure: Failure | None) -> bool:
        """Return True if no message of the execution can show its end."""
        if self._last is None:
            return self._is_unanswered or (failure is not None and (self._is_working or self._is_first))
        last = self.messages[self._last].info
        return failure is not None and last.error is None and last.time.completed is not None


def _resumes(item: JsonMap) -> bool:
    return item.get("type") == "synthetic" and RESUMED in as_text(item.get("text"))


def _failure(outcome: str, error: JsonMap) -> Failure | None:
    match outcome:
        case "interrupted":
            return interruption(as_text(error.get("message")))
        case "failed":
            return failure_of(error) or Failure(data={"message": "OpenCode gave no reason."})
        case "succeeded":
            return None
        case "":
            return failure_of(error)
        case _:
            return failure_of(error) or Failure(
                data={"message": f"OpenCode ended the run with the outcome {outcome!r}."}
            )


def _ended(answer: Message, milliseconds: float, failure: Failure | None) -> Message:
    """Mark the last answer of an execution; a step that was broken off has neither an end nor an error of its own."""
    info = answer.info
    if info.is_complete:
        return _with_info(answer, ended=True)
    time = info.time.model_copy(update={"completed": milliseconds})
    finish = info.finish or _finish(failure)
    return _with_info(answer, ended=True, time=time, error=failure, finish=finish)


def _finish(failure: Failure | None) -> str:
    """Return how a step ended that does not say so itself: a message without it would count as aborted."""
    return "" if failure else LAST_STEP


def _with_info(message: Message, **changes: object) -> Message:
    return message.model_copy(update={"info": message.info.model_copy(update=changes)})

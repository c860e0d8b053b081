"""The last run of an idle session, as its latest messages show it: a line about the session needs no more."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from opencode_mcp.errors import BackendFailed, CallerError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.models import Message, Session, SubtaskPart
from opencode_mcp.runs.record import answers_in, is_prompt, says_nothing
from opencode_mcp.runs.report import first_words, spoken
from opencode_mcp.runs.state import Evidence, State, classify

Outcome = Literal["completed", "failed", "aborted", "undone", "running", "waiting", "unanswered", "none"]
"""Outcome of a session's last run. ``unanswered``: its prompt has no answer; ``none``: the session has no message."""
LATEST = 6
"""Messages that are read first: a prompt with a few steps."""
OUTCOMES: dict[State, Outcome] = {State.COMPLETED: "completed", State.ABORTED: "aborted"}
"""Outcomes by the state of the run; every other state of an idle session is a failure."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a session."""

    outcome: Outcome
    prompt: str = ""
    """Beginning of its prompt; empty if the prompt cannot be read."""
    changed: float = 0
    """Time of the latest message, in milliseconds since the epoch."""


async def read_last_run(client: OpenCodeClient, session: Session) -> LastRun:
    """Read the end of a session (``session.messages``, and ``session.message`` if the prompt is further back).

    Raises:
        BackendError: OpenCode could not be read.
    """
    messages = (await client.session_messages(session.id, limit=LATEST)).items
    if not messages:
        return LastRun("none")
    last = messages[-1].info
    prompt = await _prompt_of(client, session.id, messages)
    return LastRun(
        outcome="undone" if session.revert else _outcome(messages, prompt),
        prompt=words_of(prompt) if prompt else "",
        changed=last.time.completed or last.time.created,
    )


def words_of(prompt: Message) -> str:
    """Return the beginning of a prompt in one line."""
    subtasks = [part.prompt or part.description for part in prompt.parts if isinstance(part, SubtaskPart)]
    return first_words(" ".join([spoken(prompt), *subtasks]).strip())


async def _prompt_of(client: OpenCodeClient, session_id: str, messages: list[Message]) -> Message | None:
    """Return the prompt of the last run; ``None`` if OpenCode cannot show it."""
    for message in reversed(messages):
        if is_prompt(message):
            return message
    named = next((message.info.parent_id for message in reversed(messages) if message.info.parent_id), "")
    try:
        return await client.session_message(session_id, named) if named else None
    except (BackendFailed, CallerError):
        return None


def _outcome(messages: list[Message], prompt: Message | None) -> Outcome:
    """Return the outcome of the last run of an idle session."""
    answers = answers_in(messages, prompt.info.id) if prompt else messages
    answers = [message for message in answers if message.info.role == "assistant"]
    if not answers:
        return "unanswered"
    evidence = Evidence(
        answers=[message.info for message in answers], empty=says_nothing(answers[-1]), quiet_seconds=inf
    )
    return OUTCOMES.get(classify(evidence), "failed")

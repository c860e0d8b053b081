"""The last run of an idle session, as its latest messages show it: a line about the session needs no more."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Literal

from opencode_mcp.errors import BackendFailed, CallerError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import is_unreadable
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.answer_summary import summarise
from opencode_mcp.runs.outcome.state import Evidence, State, classify
from opencode_mcp.runs.output_schema.checker_process import mismatch_apart
from opencode_mcp.runs.output_schema.schema_in_prompt import ParsedAnswer, corrected_prompt, parse_answer, schema_of
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.run_record import answers_in, is_cut_short, is_prompt, says_nothing, was_stopped_between
from opencode_mcp.runs.session_history.history import is_copied
from opencode_mcp.runs.session_history.prompt_beginning import prompt_beginning
from opencode_mcp.runs.session_history.spending import step_of
from opencode_mcp.text.json_values import as_map

LastRunOutcome = Literal[
    "completed", "failed", "aborted", "undone", "running", "needs_input", "unanswered", "none", "unknown"
]
"""Outcome of a session's last run. ``unanswered``: its prompt has no answer, or a fork has copied an unfinished one;
``none``: the session has no message; ``unknown``: the messages were not read."""
LATEST_MESSAGES = 6
"""Messages that are read first: a prompt with a few steps."""
OUTCOMES_OF_ENDS: dict[State, LastRunOutcome] = {State.COMPLETED: "completed", State.ABORTED: "aborted"}
"""Outcomes by the state of the run; every other state of an idle session is a failure."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a session."""

    outcome: LastRunOutcome
    prompt: str = ""
    """Beginning of its prompt; empty if the prompt cannot be read."""
    prompt_id: str = ""
    changed: float = 0
    """Time of the latest message, in milliseconds since the epoch."""
    began: float = 0
    """Time of its prompt, or of its first known answer, in milliseconds since the epoch; 0 if there is none."""
    is_counted: bool = True
    """True if OpenCode knows what each of its steps cost that was read."""
    is_unfinished: bool = False
    """True if its last answer has no end: it goes on, or was aborted just now, or OpenCode was killed meanwhile."""
    has_more: bool = False
    """True if it has earlier messages than those that were read."""
    is_whole: bool = False
    """True if the session has no other messages than those that were read."""
    latest: list[Message] = field(default_factory=list[Message], compare=False)
    """Messages that were read, oldest first."""

    @property
    def seconds(self) -> float:
        """Return the duration from its prompt to the latest message, as a report of the run has it."""
        since_began = (self.changed - self.began) / 1000 if self.began else 0
        return max(since_began, age_of(self.prompt_id, int(self.changed)))


async def read_last_run(
    client: OpenCodeClient, session: Session, schemas: Mapping[str, Mapping[str, Any] | None] | None = None
) -> LastRun:
    """Read the end of a session (``session.messages``, and ``session.message`` if the prompt is further back).

    Args:
        client: Reads the messages.
        session: The session.
        schemas: Schemas of the answers to prompts, by the id of the prompt, as far as they are known beforehand.

    Raises:
        BackendError: OpenCode could not be read.
    """
    page = await client.session_messages(session.id, limit=LATEST_MESSAGES)
    messages = page.items
    if not messages:
        return LastRun("none", is_whole=True)
    last = messages[-1].info
    asked = _prompt_id(messages)
    prompt_id = corrected_prompt(asked)
    found = await _find_prompt(client, session.id, messages, prompt_id)
    if schemas and (known := schemas.get(prompt_id)):
        found = replace(found, schema=known)
    answers = _answers(messages, asked)
    return LastRun(
        outcome=await _outcome_in(session, answers, found),
        prompt=prompt_beginning(found.message) if found.message else "",
        prompt_id=prompt_id,
        changed=last.time.completed or last.time.created,
        began=_beginning(found, answers),
        is_counted=_is_counted(messages, session),
        is_unfinished=_is_unfinished(answers),
        has_more=prompt_id not in [message.info.id for message in messages],
        is_whole=not page.cursor,
        latest=messages,
    )


def _is_counted(messages: list[Message], session: Session) -> bool:
    """Return True if OpenCode knows what each step of a session cost; what a fork copied is no step of it."""
    own = [message.info for message in messages if not is_copied(message.info, session)]
    return all(step_of(info).is_counted for info in own if info.role == "assistant")


def _is_unfinished(answers: list[Message]) -> bool:
    return bool(answers) and not answers[-1].info.is_complete


def _prompt_id(messages: list[Message]) -> str:
    """Return the id of the prompt of the last run; empty if no message shows it."""
    prompts = [message.info.id for message in messages if is_prompt(message)]
    named = [message.info.parent_id for message in messages if message.info.parent_id]
    return next(reversed(prompts or named), "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Prompt of a run, as far as OpenCode shows it."""

    message: Message | None = None
    schema: Mapping[str, Any] | None = None
    """Schema of the answer; an empty one if only its existence is known."""
    has_schema_in_text: bool = False
    """True if the schema is part of the text, so that the answer is a text as well."""


async def _find_prompt(client: OpenCodeClient, session_id: str, messages: list[Message], message_id: str) -> _Asked:
    """Return a prompt of a session. OpenCode 1.18 cannot show some of those that ask for a structured answer."""
    for message in messages:
        if message.info.id == message_id:
            return _prompt_of(message)
    try:
        return _prompt_of(await client.session_message(session_id, message_id)) if message_id else _Asked()
    except BackendFailed as error:
        return _Asked(schema={} if is_unreadable(error) else None)
    except CallerError:
        return _Asked()


def _beginning(asked: _Asked, answers: list[Message]) -> float:
    """Return the time of the prompt, or of the first answer, in milliseconds since the epoch; 0 if there is none."""
    first = asked.message or next(iter(answers), None)
    return first.info.time.created if first else 0


def _prompt_of(message: Message) -> _Asked:
    in_text = schema_of(message)
    wanted = as_map((message.info.model_extra or {}).get("format"))
    native = as_map(wanted.get("schema")) if wanted else None
    return _Asked(message, in_text if in_text is not None else native, has_schema_in_text=in_text is not None)


def _answers(messages: list[Message], prompt_id: str) -> list[Message]:
    answers = answers_in(messages, prompt_id) if prompt_id else messages
    return [message for message in answers if message.info.role == "assistant"]


async def _outcome_in(session: Session, answers: list[Message], asked: _Asked) -> LastRunOutcome:
    """Return the outcome of the last run of an idle session; an answer that breaks its schema is a failure."""
    if session.revert:
        return "undone"
    if _is_unfinished(answers) and is_copied(answers[-1].info, session):
        return "unanswered"
    outcome = _outcome(answers)
    if outcome != "completed" or asked.schema is None:
        return outcome
    return "completed" if await _fits(answers, asked.schema, in_text=asked.has_schema_in_text) else "failed"


async def _fits(answers: list[Message], schema: Mapping[str, Any], *, in_text: bool) -> bool:
    """Return True if the last answer fits its schema; any structured answer fits an empty one."""
    summary = summarise(answers)
    answer = parse_answer(summary.text) if in_text else ParsedAnswer(summary.output)
    if answer.problem or (answer.value is None and not in_text):
        return False
    return not (schema and await mismatch_apart(schema, answer.value))


def _outcome(answers: list[Message]) -> LastRunOutcome:
    if not answers:
        return "unanswered"
    evidence = Evidence(
        answers=[message.info for message in answers],
        empty=says_nothing(answers[-1]),
        cut_short=is_cut_short(answers[-1]),
        stopped=was_stopped_between(answers),
        idle_seconds=inf,
    )
    return OUTCOMES_OF_ENDS.get(classify(evidence), "failed")

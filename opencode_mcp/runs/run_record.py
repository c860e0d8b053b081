"""OpenCode's record of a run: its prompt, its answers, its session, and whether that has gone on to another prompt.

It reads messages and decides nothing by time or events.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from opencode_mcp.errors import BackendError, BackendFailed, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import is_unreadable
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary.wire.message import LONGEST_PAUSE_MS, NEXT_STEP, Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import SUBAGENT_STOPPED, FilePart, SubtaskPart, TextPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Todo
from opencode_mcp.options import Decider
from opencode_mcp.runs.limits import NO_LIMITS, Limits, read_limits
from opencode_mcp.runs.outcome.endings import is_rejected
from opencode_mcp.runs.requests.permission_policy import Policy, as_data, read_policies
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord, read_record

logger = logging.getLogger(__name__)

RunStarter = Literal["", "agent", "person"]
"""Starter of a run: nobody is known to have started it through a bridge; an agent alone; an
agent whose host can ask a person."""
STARTERS: tuple[RunStarter, ...] = get_args(RunStarter)
"""From the loosest to the strictest."""
MESSAGES_A_PAGE = 20
PAGES_READ = 50


@dataclass(frozen=True, slots=True)
class Run:
    """One prompt in a session; everything about it can be read back from OpenCode."""

    directory: str
    session_id: str
    message_id: str
    caller_limit: Decider = "allow"
    """The caller's limit: the decider is never looser than this; see ``run_note.py``."""
    starter: RunStarter = ""
    """Starter of the run; decides who answers where the operator leaves that to a person."""
    policies: tuple[Policy, ...] = ()
    """Those of the operators under whom it was started: no other bridge is looser for it."""
    limits: Limits = NO_LIMITS
    """Limits at which the run is stopped."""
    verification: VerificationRecord | None = field(default=None, compare=False)
    """Verification of the work, as it was on record; ``None`` if there is to be none."""
    words: str = field(default="", compare=False)
    """First words of the prompt, as far as they are known."""
    stopped: str = field(default="", compare=False)
    """Sentence on the limit at which it was stopped, if a bridge has noted that."""

    def as_data(self) -> dict[str, Any]:
        """Return the run as JSON data; see ``read``."""
        return asdict(self) | {"policies": as_data(self.policies), "limits": self.limits.as_data()}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Run":
        """Read a run from JSON data that a bridge has sealed."""
        read: dict[str, Any] = {
            "policies": read_policies(data.get("policies", [])),
            "limits": read_limits(data.get("limits", {})),
            "verification": read_record(data.get("verification")),
        }
        return cls(**{**data, **read})


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The session's part of a run's report."""

    title: str
    todos: list[Todo]
    children: list[str]
    """The sessions of its subagents."""
    are_children_known: bool = True
    """False if OpenCode could not list them."""


async def read_session(client: OpenCodeClient, session_id: str) -> SessionRecord:
    """Read what a report tells of a session (``session.get``, ``session.todo``, ``session.children``)."""
    async with at_once() as reads:
        session = reads.start(client.session_get, session_id)
        todos = reads.start(client.session_todo, session_id)
        children = reads.start(_children, client, session_id)
    known = children.value
    return SessionRecord(session.value.title, todos.value, known or [], are_children_known=known is not None)


async def _children(client: OpenCodeClient, session_id: str) -> list[str] | None:
    """Return the sessions of the subagents of a session; ``None`` if they cannot be read.

    A report must not be lost with them: OpenCode's list fails as a whole if it cannot read one of its sessions.
    """
    try:
        return [child.id for child in await client.session_children(session_id)]
    except BackendError as error:
        logger.warning("the subagents of %s could not be read: %s", session_id, error)
        return None


async def all_answers(client: OpenCodeClient, run: Run) -> list[Message]:
    """Return every message of the assistant that answers a run's prompt, oldest first."""
    return answers_in(await _messages_since(client, run), run.message_id)


async def _messages_since(client: OpenCodeClient, run: Run) -> list[Message]:
    """Return the session's messages from the run's prompt on, and some before it; without it, all that are read."""
    messages: list[Message] = []
    cursor = ""
    for _ in range(PAGES_READ):
        page = await client.session_messages(run.session_id, limit=MESSAGES_A_PAGE, before=cursor)
        messages = page.items + messages
        cursor = page.cursor
        if not cursor or any(message.info.id == run.message_id for message in page.items):
            break
    return messages


async def last_answers(client: OpenCodeClient, run: Run) -> tuple[list[Message], bool]:
    """Return the last answers to the session's latest prompt, oldest first, and True if they are all of them."""
    page = await client.session_messages(run.session_id, limit=MESSAGES_A_PAGE)
    return answers_in(page.items, run.message_id), any(message.info.id == run.message_id for message in page.items)


def answers_in(messages: list[Message], message_id: str) -> list[Message]:
    """Return the assistant's messages that answer a prompt; a list without the prompt lies wholly after it."""
    answers: list[Message] = []
    prompted_again = False
    for message in _after(messages, message_id):
        if message.info.role == "user" and answers:
            if _ends_before(answers[-1], message):
                break
            prompted_again = True
        elif _is_answer(message, message_id):
            if answers and _is_last(answers[-1].info, prompted_again=prompted_again):
                break
            answers.append(message)
            prompted_again = False
    return answers


def _is_last(answer: MessageInfo, *, prompted_again: bool) -> bool:
    """Return True if no later message of the assistant's belongs to the run of an answer."""
    return answer.ended or (prompted_again and not answer.is_complete)


def _after(messages: list[Message], message_id: str) -> list[Message]:
    """Return the messages after one; all of them, where it is not among them."""
    for index, message in enumerate(messages):
        if message.info.id == message_id:
            return messages[index + 1 :]
    return messages


def _ends_before(answer: Message, later: Message) -> bool:
    """Return True if a run had ended with an answer before a later message of the user's came."""
    return _is_final(answer.info) or (is_prompt(later) and _had_stopped(answer, later))


def _is_answer(message: Message, message_id: str) -> bool:
    """Return True if the assistant wrote a message after a prompt; ids alone are wrong where two clocks differ."""
    info = message.info
    return info.role == "assistant" and (info.parent_id == message_id or info.id > message_id)


def _is_final(answer: MessageInfo) -> bool:
    """Return True if a message is marked as the last: no step of the model follows.

    OpenCode merges a prompt that came before the end into the same run; and where the context overflows, it sums the
    conversation up and asks the prompt again.
    """
    if answer.summary is True and not answer.ended:
        return False
    ended = answer.ended or answer.error is not None or answer.structured is not None
    return ended or (answer.time.completed is not None and answer.has_last_step)


def _had_stopped(answer: Message, prompt: Message) -> bool:
    """Return True if OpenCode had stopped after an unmarked answer before it got the next prompt.

    It stops after a rejected call, after an abort that leaves an empty message, and where it is ended between two
    steps, which otherwise follow each other at once. It had stopped before every prompt of a bridge's, too.
    """
    completed = answer.info.time.completed
    if completed is None or answer.info.summary is True:
        return False
    paused = prompt.info.time.created - completed
    has_stopped = prompt.info.joins_nothing or says_nothing(answer) or _is_rejected(answer)
    return paused > LONGEST_PAUSE_MS or (paused >= 0 and has_stopped)


def says_nothing(answer: Message) -> bool:
    """Return True if an answer has no content and names no reason for its end."""
    return not answer.info.finish and not any(part.type in {"text", "tool"} for part in answer.parts)


def was_stopped_between(answers: Sequence[Message]) -> bool:
    """Return True if the last answer is the beginning of a step after one whose subagent was stopped.

    OpenCode 1 begins the step when its subagent has ended. If it is then stopped itself before anything else, the step
    gets neither an end nor an error.
    """
    earlier, last = answers[:-1], answers[-1:]
    if not earlier or last[0].info.is_complete or not says_nothing(last[0]):
        return False
    return any(call.state.error.strip() == SUBAGENT_STOPPED for call in earlier[-1].tool_calls)


def _is_rejected(answer: Message) -> bool:
    return any(map(is_rejected, answer.tool_calls))


def is_cut_short(answer: Message) -> bool:
    """Return True if an answer is a complete step that another one must follow.

    If the session is idle, OpenCode ended between the two steps.
    """
    info = answer.info
    if info.finish != NEXT_STEP or info.time.completed is None:
        return False
    return not _is_final(info) and not _is_rejected(answer)


async def is_superseded(client: OpenCodeClient, run: Run) -> bool:
    """Return True if a run ended and the session went on to another prompt."""
    latest = await latest_prompt(client, run.session_id)
    return latest is not None and await _was_followed_by(client, run, latest)


async def _was_followed_by(client: OpenCodeClient, run: Run, latest: Message) -> bool:
    if latest.info.id <= run.message_id:
        return False
    return was_followed(await _messages_since(client, run), run.message_id, latest)


async def has_moved_on(client: OpenCodeClient, run: Run) -> bool:
    """Return True if a run ended and the session went on: to another prompt, or to work without one.

    OpenCode 2 begins such work when a background subagent reports, for instance. It records that the run had ended.
    """
    latest, messages = await _read_latest(client, run.session_id)
    if latest is None:
        return False
    if latest.info.id != run.message_id:
        return await _was_followed_by(client, run, latest)
    answers = answers_in(messages, run.message_id)
    return bool(answers) and answers[-1].info.ended


def was_followed(messages: list[Message], message_id: str, latest: Message) -> bool:
    """Return True if the messages show that the answers to a prompt had ended before the latest prompt."""
    answers = answers_in(messages, message_id)
    if not answers or all(message.info.id != message_id for message in messages):
        return False
    last = answers[-1]
    if not _is_later(messages, latest, last):
        return False
    return _is_final(last.info) or _had_stopped(last, latest) or _is_answered_after(messages, last)


def _is_later(messages: list[Message], later: Message, earlier: Message) -> bool:
    """Return True if a message comes after one of a list, by its place there, or by its id if it is not there.

    The id shows when a prompt was sent. OpenCode 2 lists a queued prompt at the place where its turn comes.
    """
    if any(message.info.id == later.info.id for message in messages):
        return any(message.info.id == later.info.id for message in _after(messages, earlier.info.id))
    return later.info.id > earlier.info.id


def _is_answered_after(messages: list[Message], answer: Message) -> bool:
    """Return True if the assistant wrote a message after an answer."""
    return any(message.info.role == "assistant" for message in _after(messages, answer.info.id))


async def is_at_work_on(client: OpenCodeClient, session_id: str, message_id: str) -> bool:
    """Return True if a prompt is the session's latest, or is being answered together with later ones."""
    latest = await latest_prompt(client, session_id)
    if latest is None or latest.info.id == message_id:
        return latest is not None
    run = Run("", session_id, message_id)
    named = {message.info.id for message in await _messages_since(client, run)}
    return message_id in named and not await is_superseded(client, run)


async def is_removed(client: OpenCodeClient, run: Run) -> bool:
    """Return True if OpenCode has removed the prompt of a run (``session.message``).

    It does so with the prompts that were undone, once the session gets another prompt.
    """
    latest = await latest_prompt(client, run.session_id)
    if latest is None or latest.info.id <= run.message_id:
        return False
    try:
        await client.session_message(run.session_id, run.message_id)
    except NotFound:
        return run.message_id not in await client.pending_prompts(run.session_id)
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
    return False


async def is_session_deleted(client: OpenCodeClient, session_id: str) -> bool:
    """Return True if OpenCode does not have a session any more (``session.get``)."""
    try:
        await client.session_get(session_id)
    except NotFound:
        return True
    return False


async def latest_prompt(client: OpenCodeClient, session_id: str) -> Message | None:
    """Return the last message that a person wrote; OpenCode writes some in the person's name when it compacts."""
    return (await _read_latest(client, session_id))[0]


async def _read_latest(client: OpenCodeClient, session_id: str) -> tuple[Message | None, list[Message]]:
    """Return the last message that a person wrote, and the session's messages from it, or an earlier one, on."""
    cursor = ""
    messages: list[Message] = []
    for _ in range(PAGES_READ):
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        messages = page.items + messages
        if prompts := [message for message in page.items if is_prompt(message)]:
            return prompts[-1], messages
        cursor = page.cursor
        if not cursor:
            break
    return _unreadable_prompt(messages[0] if messages else None), messages


def is_prompt(message: Message) -> bool:
    """Return True if a person wrote a message."""
    return message.info.role == "user" and any(_is_written_by_person(part) for part in message.parts)


def _is_written_by_person(part: object) -> bool:
    if isinstance(part, TextPart):
        return not part.synthetic
    return isinstance(part, FilePart | SubtaskPart)


def _unreadable_prompt(answer: Message | None) -> Message | None:
    """Name the prompt that OpenCode cannot show by the answer that names it; see ``session_messages``."""
    if answer is None or not answer.info.parent_id:
        return None
    info = answer.info.model_copy(update={"id": answer.info.parent_id, "role": "user"})
    return Message(info=info)

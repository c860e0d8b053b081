"""What OpenCode has on record of a run: its prompt, its answers, its session, and whether that has gone on to another.

It reads messages and judges nothing by time or events.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from opencode_mcp.opencode.at_once import at_once
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import FilePart, Message, MessageInfo, SubtaskPart, TextPart, Todo
from opencode_mcp.options import Decider

Starter = Literal["", "agent", "person"]
"""Who was behind the host that started a run: nobody is known to have started it through a bridge; an agent alone; an
agent whose host can ask a person."""
STARTERS: tuple[Starter, ...] = get_args(Starter)
"""From the loosest to the strictest."""
MESSAGES_A_PAGE = 20
PAGES_READ = 50


@dataclass(frozen=True, slots=True)
class Run:
    """One prompt in a session; everything about it can be read back from OpenCode."""

    directory: str
    session_id: str
    message_id: str
    narrowed: Decider = "allow"
    """How strict its caller wants permissions to be answered at least; see ``run_note.py``."""
    starter: Starter = ""
    """Who answers for it, where the operator leaves that to a person."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a run's report tells of its session."""

    title: str
    todos: list[Todo]
    children: list[str]
    """The sessions of its subagents."""


async def read_session(client: OpenCodeClient, session_id: str) -> SessionRecord:
    """Read what a report tells of a session (``session.get``, ``session.todo``, ``session.children``)."""
    async with at_once() as reads:
        session = reads.start(client.session_get, session_id)
        todos = reads.start(client.session_todo, session_id)
        children = reads.start(client.session_children, session_id)
    return SessionRecord(session.value.title, todos.value, [child.id for child in children.value])


async def all_answers(client: OpenCodeClient, run: Run) -> list[Message]:
    """Every message of the assistant that answers a run's prompt, oldest first."""
    return answers_in(await _messages_since(client, run), run.message_id)


async def _messages_since(client: OpenCodeClient, run: Run) -> list[Message]:
    """The session's messages from the run's prompt on, and some before it; without it, all that are read."""
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
    """The last of the answers to the session's latest prompt, oldest first, and whether they are all of them."""
    page = await client.session_messages(run.session_id, limit=MESSAGES_A_PAGE)
    return answers_in(page.items, run.message_id), any(message.info.id == run.message_id for message in page.items)


def answers_in(messages: list[Message], message_id: str) -> list[Message]:
    """The assistant's messages that answer a prompt; a list without the prompt lies wholly after it."""
    ids = [message.info.id for message in messages]
    after = messages[ids.index(message_id) + 1 :] if message_id in ids else messages
    answers: list[Message] = []
    for message in after:
        if message.info.role == "user" and answers and _is_final(answers[-1].info):
            break
        if message.info.role == "assistant" and _follows(message, message_id):
            answers.append(message)
    return answers


def _follows(message: Message, message_id: str) -> bool:
    """The ids alone would do, were the clocks of two machines always equal."""
    return message.info.parent_id == message_id or message.info.id > message_id


def _is_final(answer: MessageInfo) -> bool:
    """Whether a message says of itself that no step of the model follows.

    OpenCode merges a prompt that came before the end into the same run; and where the context overflows, it sums the
    conversation up and asks the prompt again.
    """
    if answer.summary is True:
        return False
    ended = answer.error is not None or answer.structured is not None
    return ended or (answer.time.completed is not None and has_last_step(answer))


def has_last_step(answer: MessageInfo) -> bool:
    """Whether a message holds a step of the model that called no tool, and was told to end."""
    return answer.finish not in {"", "tool-calls"}


async def is_superseded(client: OpenCodeClient, run: Run) -> bool:
    """Whether a run ended and the session went on to another prompt."""
    latest = await latest_prompt(client, run.session_id)
    if latest is None or latest.info.id <= run.message_id:
        return False
    messages = await _messages_since(client, run)
    ids = [message.info.id for message in messages]
    answers = answers_in(messages, run.message_id)
    return (
        run.message_id in ids and bool(answers) and _is_final(answers[-1].info) and latest.info.id > answers[-1].info.id
    )


async def is_at_work_on(client: OpenCodeClient, session_id: str, message_id: str) -> bool:
    """Whether a prompt is the session's latest, or is still being answered together with later ones."""
    latest = await latest_prompt(client, session_id)
    if latest is None or latest.info.id == message_id:
        return latest is not None
    run = Run("", session_id, message_id)
    named = {message.info.id for message in await _messages_since(client, run)}
    return message_id in named and not await is_superseded(client, run)


async def latest_prompt(client: OpenCodeClient, session_id: str) -> Message | None:
    """The last message of a session that a person wrote; OpenCode writes some in the person's name when it compacts."""
    cursor, oldest = "", None
    for _ in range(PAGES_READ):
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            if is_prompt(message):
                return message
            oldest = message
        cursor = page.cursor
        if not cursor:
            break
    return _unreadable_prompt(oldest)


def is_prompt(message: Message) -> bool:
    """Whether a person wrote a message."""
    written = (
        isinstance(part, FilePart | SubtaskPart) or (isinstance(part, TextPart) and not part.synthetic)
        for part in message.parts
    )
    return message.info.role == "user" and any(written)


def _unreadable_prompt(answer: Message | None) -> Message | None:
    """Name the prompt that OpenCode cannot show by the answer that names it; see ``session_messages``."""
    if answer is None or not answer.info.parent_id:
        return None
    info = answer.info.model_copy(update={"id": answer.info.parent_id, "role": "user"})
    return Message(info=info)

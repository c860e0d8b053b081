"""Reads what happened in a session from its first message on."""

from opencode_mcp.diffs.merged import merge_diffs
from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http.codec import is_unreadable
from opencode_mcp.opencode.vocabulary.models import FileDiff, Message, PatchPart

MESSAGES_A_PAGE = 100


async def session_changes(
    client: OpenCodeClient, session_id: str, message_id: str = "", undone_from: str = ""
) -> list[FileDiff]:
    """Return the changes of one prompt, or of the whole session (``session.diff`` for each of its prompts).

    Args:
        client: Reaches OpenCode.
        session_id: The session.
        message_id: The prompt's message; empty: all prompts, put together.
        undone_from: The message that the session is undone from; what it and later ones changed does not count.
    """
    prompts = [message_id] if message_id else await _changing_prompts(client, session_id)
    if undone_from and not message_id:
        prompts = [prompt for prompt in prompts if prompt < undone_from]
    return merge_diffs([await client.session_diff(session_id, prompt) for prompt in prompts])


async def _changing_prompts(client: OpenCodeClient, session_id: str) -> list[str]:
    """Return the prompts whose answers changed files, oldest first: only a few of a long session do."""
    changing: dict[str, None] = {}
    cursor = ""
    while True:
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            if any(part.type == "patch" for part in message.parts) and message.info.parent_id:
                changing[message.info.parent_id] = None
        cursor = page.cursor
        if not cursor:
            return list(reversed(changing))


async def touched_files(client: OpenCodeClient, session_id: str, first: str) -> list[str]:
    """Return the files that the answers from a message on, or from a part of one, changed (``session.messages``).

    The message counts whole, also where only a part of it is meant.
    """
    files: dict[str, None] = {}
    cursor = ""
    while True:
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            files.update(dict.fromkeys(_patched_files(message)))
            if first == message.info.id or any(first == part.id for part in message.parts):
                return list(files)
        cursor = page.cursor
        if not cursor:
            return list(files)


def _patched_files(message: Message) -> list[str]:
    files: list[str] = []
    for part in message.parts:
        if isinstance(part, PatchPart):
            files += part.files
    return files


async def prompt_of(client: OpenCodeClient, session_id: str, message_id: str) -> str:
    """Return the prompt that a message is, or answers (``session.message``).

    Raises:
        NotFound: The session has no such message.
    """
    try:
        message = await client.session_message(session_id, message_id)
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
        return message_id
    except (InvalidArgument, NotFound) as error:
        raise _no_message(session_id, message_id) from error
    return message_id if message.info.role == "user" else message.info.parent_id or message_id


def _no_message(session_id: str, message_id: str) -> NotFound:
    return NotFound(
        f"The session {session_id} has no message {message_id!r}.", hint="opencode_session shows those that it has."
    )


async def first_structured_prompt(client: OpenCodeClient, session_id: str) -> str:
    """Return the oldest prompt that carries ``format``, which OpenCode 1.18.33 cannot read back; empty for none."""
    cursor, found, oldest = "", "", None
    while True:
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            oldest = message
            if (message.info.model_extra or {}).get("format"):
                found = message.info.id
        cursor = page.cursor
        if not cursor:
            break
    # The session's first message is left out of the page where it is such a prompt; its answer names it.
    return oldest.info.parent_id if oldest and oldest.info.role == "assistant" else found

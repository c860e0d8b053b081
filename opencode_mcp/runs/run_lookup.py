"""Search for a run: the one of a given prompt, or the latest of a session."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opencode_mcp.errors import BackendFailed, InvalidArgument, NoRunYet, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import is_unreadable
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.limits import tightest
from opencode_mcp.runs.outcome.answer_summary import first_words, visible_text
from opencode_mcp.runs.output_schema.schema_in_prompt import corrected_prompt
from opencode_mcp.runs.run_note import ANY_PROMPT, Note, Notes, combined, first_prompt
from opencode_mcp.runs.run_record import Run, is_at_work_on, latest_prompt
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord
from opencode_mcp.text.outside_text import one_line

LONGEST_ID = 80
"""Most characters of a wrong id that an error shows."""


@dataclass(frozen=True, slots=True)
class FoundPrompt:
    """Prompt of a session, as it was found."""

    id: str
    words: str = ""
    """Its first words; empty if OpenCode does not show it."""


async def find_run(
    client: OpenCodeClient, notes: Notes, words: Mapping[str, str], session: Session, message_id: str = ""
) -> Run:
    """Find a run of a session: the one of a given prompt, or the latest.

    Args:
        client: Client of the session's directory.
        notes: The notes on runs.
        words: First words of the prompts that this bridge has sent, by id.
        session: The session.
        message_id: Id of a prompt, or of an answer to it; empty: the latest prompt.

    Raises:
        NotFound: The session has no prompt, or not that one.
    """
    found = await _find_prompt(client, words, session, message_id)
    known = notes.of(session)
    first = first_prompt(corrected_prompt(found.id), known)
    if first != found.id:
        found = await _find_prompt(client, words, session, first)
    applying = [note for note in known if await _holds(client, session, note, found.id)]
    return Run(
        session.directory,
        session.id,
        found.id,
        *combined(applying),
        limits=tightest(note.limits for note in applying),
        verification=_verification_in(known, found.id),
        words=notes.first_words_of(session, found.id) or found.words,
        stopped=next((note.stopped for note in applying if note.stopped), ""),
    )


async def find_run_to_stop(client: OpenCodeClient, notes: Notes, words: Mapping[str, str], session: Session) -> Run:
    """Find the run that OpenCode works on, or the latest if it works on none.

    The latest prompt of a session may wait in the inbox until the present run has ended.

    Raises:
        NotFound: The session has no prompt.
    """
    at_work = ""
    if await client.pending_prompts(session.id) and session.id in await client.session_status(session.directory):
        begun = await latest_prompt(client, session.id)
        at_work = begun.info.id if begun else ""
    return await find_run(client, notes, words, session, at_work)


async def _find_prompt(
    client: OpenCodeClient, words: Mapping[str, str], session: Session, message_id: str
) -> FoundPrompt:
    """Return a given prompt of a session, or the latest.

    Raises:
        NotFound: The session has no prompt, or not that one.
    """
    if message_id in words:
        return FoundPrompt(message_id, words[message_id])
    if message_id:
        return await _existing_prompt(client, session, message_id)
    if latest := await _latest_submitted(client, session.id):
        return FoundPrompt(latest.id, words.get(latest.id) or latest.words)
    raise NoRunYet(
        f"The session {session.id} has no run yet.",
        hint=f'Start one with opencode_run(session_id="{session.id}", prompt=...). If OpenCode stopped while a '
        "prompt was on its way, send that prompt again.",
    )


def _verification_in(notes: Iterable[Note], message_id: str) -> VerificationRecord | None:
    """Return the verification of a prompt's run as the last of some notes has it; ``None`` if none has one."""
    found = [note.verification for note in notes if note.message_id == message_id and note.verification]
    return found[-1] if found else None


async def _holds(client: OpenCodeClient, session: Session, note: Note, message_id: str) -> bool:
    """Return True if a note applies to a prompt: its own, or one that is answered together with its own."""
    return note.message_id in {ANY_PROMPT, message_id} or await is_at_work_on(client, session.id, note.message_id)


async def _latest_submitted(client: OpenCodeClient, session_id: str) -> FoundPrompt | None:
    """Return the prompt that a session got last; ``None`` if it has none.

    A prompt that waits in the inbox of OpenCode 2 was not begun, and is there anyway. If it were sent again, it
    would be answered twice. The inbox is read first, since prompts move from there to the messages.
    """
    pending = await client.pending_prompts(session_id)
    if pending:
        return FoundPrompt(pending[-1])
    prompt = await latest_prompt(client, session_id)
    return FoundPrompt(prompt.info.id, first_words(visible_text(prompt))) if prompt else None


async def _existing_prompt(client: OpenCodeClient, session: Session, message_id: str) -> FoundPrompt:
    """Return a prompt, also for the id of its answer, or refuse to wait for what never was.

    A prompt with ``format`` exists, though OpenCode 1.18 cannot show it.

    Raises:
        NotFound: The session does not have it.
    """
    try:
        message = await client.session_message(session.id, message_id)
        if message.info.role == "assistant" and message.info.parent_id:
            # An answer names its prompt; OpenCode 1 cannot show some prompts.
            return await _existing_prompt(client, session, message.info.parent_id)
        return FoundPrompt(message_id, first_words(visible_text(message)))
    except (InvalidArgument, NotFound) as error:
        if message_id in await client.pending_prompts(session.id):
            return FoundPrompt(message_id)
        latest = await _latest_submitted(client, session.id)
        gone = "OpenCode removes a prompt that was undone when the session gets another one."
        hint = f"Its latest is {latest.id}. {gone}" if latest else "It has none yet."
        shown = one_line(message_id, LONGEST_ID)
        raise NotFound(f"The session {session.id} has no prompt {shown!r}.", hint=hint) from error
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
        return FoundPrompt(message_id)

"""Prompts that send the failure of a verification back into the session of its run, and the note of how far it is."""

from dataclasses import replace

from opencode_mcp.errors import NotFound, SessionBusy
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.output_schema.schema_in_prompt import corrected_prompt
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run, latest_prompt
from opencode_mcp.runs.starting.prompt_poster import LEAST_POST_SECONDS, next_message_id
from opencode_mcp.runs.verification.verification_progress import Verification
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord
from opencode_mcp.text.outside_text import clean, indented

UNSENT = "The failure was not sent back: OpenCode or this MCP server ended at that moment."


async def send_repair(runs: Runs, run: Run, verification: Verification) -> None:
    """Send the failure of a verification back (``session.prompt_async``).

    The id of the prompt is noted before it is sent, so that no bridge sends it again.

    Raises:
        SessionBusy: The session has gone on to another prompt.
        BackendError: OpenCode does not have it.
    """
    session, request = Session(id=run.session_id, directory=run.directory), verification.record.request
    async with runs.turns.turn(session) as client:
        if not await is_at_end_of(client, run, verification.record):
            raise SessionBusy(f"The session {run.session_id} has gone on to another prompt.")
        noted = await read_note(runs, client, run)
        if noted and noted.stop:
            raise SessionBusy(noted.stop)
        message_id = await next_message_id(client, session)
        prompt = Prompt(
            text=repair_text(verification.record),
            directory=run.directory,
            agent=request.agent,
            model=request.model,
            variant=request.variant,
            output_schema=runs.known.schemas.get(run.message_id),
        )
        record = replace(verification.record, repairs=(*verification.record.repairs, message_id))
        await write_note(runs, client, run, record)
        await runs.poster.post(client, replace(run, message_id=message_id), prompt, LEAST_POST_SECONDS)
        verification.update(record)


def repair_text(record: VerificationRecord) -> str:
    """Return the prompt that sends a failure back."""
    result = record.result
    if result is None:
        return ""
    failed = "did not end in time" if result.exit_code is None else f"failed with exit code {result.exit_code}"
    output = indented(clean(result.output)) or "nothing"
    return (
        f"The work was verified with this command, which {failed} after {result.seconds:.0f} s:\n\n"
        f"    {indented(record.request.line)}\n\nThe end of what it printed:\n\n    {output}\n\n"
        "Find the cause and correct the work. Do not weaken what the command checks. It will be run again."
    )


async def is_at_end_of(client: OpenCodeClient, run: Run, record: VerificationRecord) -> bool:
    """Return True if the last prompt of a session is the last one of a run with a verification.

    Raises:
        BackendError: OpenCode could not be read.
    """
    latest = await latest_prompt(client, run.session_id)
    return latest is not None and corrected_prompt(latest.info.id) == (record.latest_prompt or run.message_id)


async def read_note(runs: Runs, client: OpenCodeClient, run: Run) -> VerificationRecord | None:
    """Return the verification of a run as its note has it; ``None`` if the session has another note by now.

    Raises:
        NotFound: The session was deleted.
        BackendError: OpenCode could not be read.
    """
    # The note on record comes last: another bridge may have written it.
    notes = runs.notes.of(await client.session_get(run.session_id))
    return next((note.verification for note in reversed(notes) if note.message_id == run.message_id), None)


async def without_unsent(client: OpenCodeClient, run: Run, record: VerificationRecord) -> VerificationRecord:
    """Return a record without a last repair that was noted and never arrived: its bridge or OpenCode ended meanwhile.

    It is not sent again, since a request of a bridge that has ended may still be under way.

    Raises:
        BackendError: OpenCode could not be read.
    """
    last = record.latest_prompt
    if not last or last in await client.pending_prompts(run.session_id):
        return record
    try:
        await client.session_message(run.session_id, last)
    except NotFound:
        result = replace(record.result, note=UNSENT) if record.result else None
        return replace(record, repairs=record.repairs[:-1], result=result, is_over=True)
    return record


async def write_note(runs: Runs, client: OpenCodeClient, run: Run, record: VerificationRecord) -> None:
    """Write how far a verification has come into the note of its run, unless the session has another note by now.

    Raises:
        BackendError: It could not be written.
    """
    session = await client.session_get(run.session_id)
    notes = [note for note in runs.notes.of(session) if note.message_id == run.message_id]
    if notes:
        noted = replace(notes[-1], verification=record)
        await runs.notes.write(client, session, noted)
        runs.notes.remember(run.session_id, noted)

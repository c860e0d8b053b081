"""Check of an undo and of its restoring: neither may take back what others changed, nor an undo lose files."""

import json
import math
from typing import TYPE_CHECKING

from opencode_mcp.diffs.authorship import Authorship, Period, SessionWork
from opencode_mcp.errors import CallerError
from opencode_mcp.runs.reports import other_sessions
from opencode_mcp.server.access.operations_of_tools import INTEGRATE, REDO, UNDO
from opencode_mcp.server.changes import change_authors, renames_lost_by_undo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opencode_mcp.diffs.authorship import AuthorFinder, WriteCall
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

PROMPTS_READ = 30
"""Most undone prompts whose diffs are read, the latest first."""


async def refuse_harmful_undo(bridge: "Bridge", session: "Session", prompt: str) -> None:
    """Refuse an undo that would take back what other sessions or a person changed, or lose renamed files.

    OpenCode puts each file that differed after an undone step back to its state before that step, also if others
    changed it. OpenCode 2 does so with each file that differed between the prompt and the end of the work.

    Args:
        bridge: Reaches OpenCode.
        session: The session.
        prompt: The first prompt that is undone.

    Raises:
        CallerError: Another session changed one of the files in that time or since, or may have; or OpenCode would
            not bring back a renamed file; or the prompt was copied by a fork, so that the files are those of the
            session that it was copied from.
    """
    work, prompts = await other_sessions.work_since(bridge.client, session, prompt)
    if prompt not in prompts:
        raise CallerError(
            f"Nothing was undone: {session.id} is a fork, and {prompt} was copied into it. What it changed is the work "
            "of the session that it was copied from.",
            hint="Undo it there, or undo a prompt that was sent to the fork.",
        )
    undone = reversed(prompts[:PROMPTS_READ])
    by_prompt = {each: await bridge.client.session_diff(session.id, each) for each in undone}
    diffs = list(by_prompt.values())
    files = await _files_put_back(bridge, session, work, diffs)
    if not files:
        return
    await _refuse_undo_of_others(bridge, session, prompt, work, files)
    lost = await renames_lost_by_undo.files_not_brought_back(bridge, session, work, diffs)
    lost += await renames_lost_by_undo.files_with_names_used_again(bridge, session, by_prompt)
    if lost:
        operation = (await bridge.operation_of(UNDO)).id
        raise _would_lose(session.id, prompt, lost, operation)


async def _refuse_undo_of_others(
    bridge: "Bridge", session: "Session", prompt: str, work: SessionWork, files: set[str]
) -> None:
    """Refuse an undo if others changed one of the files that it puts back."""
    authors = await other_sessions.read_authors(
        bridge.client, session, work, Period(work.period.begin, math.inf), bridge.runs.other_work
    )
    found = {file: authors.find(file, since=True) for file in sorted(files)}
    foreign = {file: whose for file, whose in found.items() if whose.whose != "this"}
    if not foreign:
        return
    by_hand = _undo_by_hand(session.id, found)
    order = _other_order(bridge, session.id, work, authors, foreign)
    operation = (await bridge.operation_of(UNDO)).id
    raise CallerError(
        f"Nothing was undone: to undo {session.id} from {prompt} on would also take back changes that are not its own. "
        f"{change_authors.authors_note(foreign)}",
        hint=order + by_hand + _all_the_same(operation, {"sessionID": session.id, "messageID": prompt}, list(foreign)),
    )


def _would_lose(session_id: str, prompt: str, lost: list[str], operation: str) -> CallerError:
    """Return the error of an undo that would lose renamed files."""
    names = change_authors.listed_names(lost)
    call = _operation_call(operation, {"sessionID": session_id, "messageID": prompt})
    return CallerError(
        f"Nothing was undone: {session_id} moved or renamed {names}. An undo by OpenCode would delete the new names, "
        "and not bring back the old ones.",
        hint=f"To take its changes back: {_call_by_hand(session_id, lost)}, or edit the files. "
        f"To do it with the loss of {names}, ask the person first: {call}.",
    )


async def _files_put_back(
    bridge: "Bridge", session: "Session", work: SessionWork, diffs: "Sequence[Sequence[FileDiff]]"
) -> set[str]:
    """Return the files that an undo of some prompts puts back.

    These are the files that differed after a step; with ``undo_restores_diff`` also those in the diffs of the prompts
    (``session.diff``).
    """
    files = {_relative(file, session) for file in work.files}
    if not (await bridge.client.features()).undo_restores_diff:
        return files
    return files.union(*({diff.file for diff in each} for each in diffs))


async def refuse_redo_over_others(bridge: "Bridge", session: "Session") -> None:
    """Refuse to take back an undo if other sessions have changed files since.

    OpenCode then puts all files back to their state at the time of the undo.

    Args:
        bridge: Reaches OpenCode.
        session: The undone session; the undo was its last change.

    Raises:
        CallerError: An edit of another session has changed a file since the undo.
    """
    since = Period(session.time.updated, math.inf)
    authors = await other_sessions.read_authors(bridge.client, session, SessionWork(), since, bridge.runs.other_work)
    changed: dict[str, Authorship] = {}
    for call in authors.others:
        if call.period.overlaps(since) and not call.is_undone:
            files = call.differing if call.is_open else call.files
            changed |= {_relative(file, session): Authorship("other", [call]) for file in files}
    if not changed:
        return
    operation = (await bridge.operation_of(REDO)).id
    raise CallerError(
        "Nothing was restored: OpenCode would put all files back to their state at the time of the undo. "
        f"{change_authors.authors_note(changed)}",
        hint=_all_the_same(operation, {"sessionID": session.id}, list(changed)),
    )


def _other_order(
    bridge: "Bridge", session_id: str, work: SessionWork, authors: "AuthorFinder", foreign: "Mapping[str, Authorship]"
) -> str:
    """Return sentences on how the work of several sessions can be undone; empty if no other session is known.

    Args:
        bridge: Knows whether runs can be isolated.
        session_id: The session whose undo is refused.
        work: Its work that would be undone.
        authors: Knows the calls of the others.
        foreign: The files that are not, or not only, the session's.
    """
    calls = _calls_of_others(authors, foreign)
    if not calls:
        return ""
    if not any(call.period.overlaps(work.period) for call in calls):
        revert = f'opencode_revert(session_id="{calls[-1].session_id}", message_id=...)'
        return f"The others worked later. To undo their work too, undo the latest first: {revert}. "
    alone = f"They worked at the same time in one directory, so that {session_id} cannot be undone alone. "
    if bridge.settings.remote or INTEGRATE in bridge.unlisted_tools:
        return alone
    return f"{alone}Next time, opencode_run(isolate=true) gives each of such runs files of its own. "


def _calls_of_others(authors: "AuthorFinder", foreign: "Mapping[str, Authorship]") -> "list[WriteCall]":
    """Return the calls of the sessions that changed some files, or may have, the earliest first."""
    named = {call.session_id for found in foreign.values() for call in found.others}
    return sorted((call for call in authors.others if call.session_id in named), key=lambda call: call.period.begin)


def _undo_by_hand(session_id: str, found: "Mapping[str, Authorship]") -> str:
    """Return a sentence on how to undo only what the session changed of some files; empty if it changed none."""
    files = [file for file, whose in found.items() if whose.whose in {"this", "shared"}]
    if not files:
        return ""
    return f"To take back only this session's changes: {_call_by_hand(session_id, files)}, or edit the files. "


def _call_by_hand(session_id: str, files: list[str]) -> str:
    """Return the call by which a session takes back its changes of some files."""
    prompt = json.dumps(f"Undo your own changes of {change_authors.listed_names(files)} by hand.", ensure_ascii=False)
    return f'opencode_run(session_id="{session_id}", prompt={prompt})'


def _all_the_same(operation: str, arguments: "Mapping[str, str]", lost: list[str]) -> str:
    """Return the call of the operation itself, after what it loses."""
    call = _operation_call(operation, arguments)
    names = change_authors.listed_names(lost)
    return f"To do it with the loss of the changes of others in {names}, ask the person first: {call}."


def _operation_call(operation: str, arguments: "Mapping[str, str]") -> str:
    return f'opencode_call_operation(operation="{operation}", arguments={json.dumps(arguments)})'


def _relative(file: str, session: "Session") -> str:
    return file.removeprefix(session.directory.replace("\\", "/").rstrip("/") + "/")

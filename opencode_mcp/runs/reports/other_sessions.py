"""Reads what other sessions did in a directory while a session worked there.

The answer comes from OpenCode's records, and from those of work that was brought back, so it is the same later and in
another bridge. Only sessions of the same directory that changed lately, or that are busy, are read. To read one of
another directory would make OpenCode open that directory as a project.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from opencode_mcp.diffs.authorship import AuthorFinder, Period, SessionWork, WriteCall, work_of
from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once, read_each
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.reported_files import list_named
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.reports.integrated_work import OtherWork, no_other_work
from opencode_mcp.runs.run_record import MESSAGES_A_PAGE, Run, all_answers
from opencode_mcp.runs.session_history.history import messages_not_undone, own_messages

logger = logging.getLogger(__name__)

SESSIONS_A_PAGE = 100
MOST_PAGES = 10
"""Most pages of the list of sessions that are read."""
FEW_SESSIONS = 30
"""Number of other sessions of which all are read: of more, those are left out first that ended before."""
SESSIONS_READ = 100
"""Most other sessions whose work is read, the latest changed first."""
MESSAGES_READ = 1000
"""Most messages of one other session that are read."""
EARLIER_MILLISECONDS = 3_600_000
"""Milliseconds before the work within which another run must have begun, unless it still goes on. OpenCode does not
count the end of a run as a change of its session."""
EVER = Period(-math.inf, math.inf)
READING_SECONDS = 5.0
"""Seconds in which the other sessions are read."""


async def read_authors(
    client: OpenCodeClient, session: Session, work: SessionWork, period: Period, other_work: OtherWork = no_other_work
) -> AuthorFinder:
    """Read who else worked (``experimental.session.list``, ``session.status``, ``session.messages`` of the others).

    A read that fails is no error: it is then unknown who changed what no known call names. A session that was deleted
    meanwhile does not count, like one that was deleted before.

    Args:
        client: Client of OpenCode.
        session: The session whose changes are looked at; only its id, title and directory are used.
        work: Its work.
        period: Time in which others count.
        other_work: Reads what was changed otherwise.
    """
    brought = [call for call in await other_work(session.directory, period) if call.session_id != session.id]
    try:
        others, is_whole = await _others(client, session, period)
    except BridgeError as error:
        logger.info("could not list the sessions beside %s: %s", session.id, error)
        return AuthorFinder(session.directory, work.steps, work.calls, brought, is_whole=False)
    works, others = await _read_works(client, await _without_ended(client, others, period), period)
    family = _family(session.id, others, works, work)
    own, foreign = [*work.calls], list[WriteCall]()
    for name, other in works.items():
        (own if name in family else foreign).extend(other.calls)
    is_whole = is_whole and len(works) == len(others)
    return AuthorFinder(session.directory, work.steps, own, [*foreign, *brought], is_whole=is_whole)


async def _read_works(
    client: OpenCodeClient, sessions: Sequence[Session], period: Period
) -> tuple[dict[str, SessionWork], list[Session]]:
    """Return the work of the latest of some sessions, as far as it could be read, and the sessions that still exist."""
    reads = {session.id: partial(_read_work, client, session, period) for session in sessions[:SESSIONS_READ]}
    found, failed = await read_each(reads, within=READING_SECONDS)
    gone = {name for name, error in failed.items() if isinstance(error, NotFound)}
    unread = failed.keys() - gone
    if unread:
        logger.info("could not read the other sessions %s", ", ".join(sorted(unread)))
    return cast("dict[str, SessionWork]", found), [session for session in sessions if session.id not in gone]


async def _others(client: OpenCodeClient, session: Session, period: Period) -> tuple[list[Session], bool]:
    """Return the other sessions of the directory that may have worked in a period, and whether these are all."""
    async with at_once() as reads:
        listing = reads.start(_changed_since, client, session.directory, period.begin - EARLIER_MILLISECONDS)
        status = reads.start(client.session_status, session.directory)
    listed, is_whole = listing.value
    return [other for other in listed if _may_have_worked(other, session, period, set(status.value))], is_whole


async def _changed_since(client: OpenCodeClient, directory: str, time: float) -> tuple[list[Session], bool]:
    """Return the sessions of a directory that changed since a time, maybe others, and whether these are all."""
    listed, before = list[Session](), 0
    for _ in range(MOST_PAGES):
        wanted = SessionFilter(archived=True, limit=SESSIONS_A_PAGE, before=before)
        page = await client.all_sessions(wanted, directory)
        listed += page.items
        if not page.items or not page.cursor.isdecimal() or page.items[-1].time.updated < time:
            return listed, True
        before = int(page.cursor)
    return listed, False


def _may_have_worked(other: Session, session: Session, period: Period, busy: set[str]) -> bool:
    if other.id == session.id or other.directory != session.directory or other.time.created > period.end:
        return False
    return other.id in busy or other.changed >= period.begin - EARLIER_MILLISECONDS


async def _without_ended(client: OpenCodeClient, sessions: Sequence[Session], period: Period) -> list[Session]:
    """Return some sessions; if they are too many, without those whose work ended before a period."""
    if len(sessions) <= FEW_SESSIONS:
        return list(sessions)
    reads = {session.id: partial(_has_ended, client, session, period) for session in sessions}
    ended, _ = await read_each(reads, within=READING_SECONDS)
    return [session for session in sessions if not ended.get(session.id)]


async def _has_ended(client: OpenCodeClient, session: Session, period: Period) -> bool:
    """Return True if a session's work ended before a period (``session.messages``, the latest one).

    One that changed since is not looked at. Nor is one that is undone.
    """
    if session.changed >= period.begin or session.revert:
        return False
    page = await client.session_messages(session.id, limit=1)
    return not page.items or _is_past(page.items[-1], period)


async def _read_work(client: OpenCodeClient, session: Session, period: Period) -> SessionWork:
    """Read the work of a session since the beginning of a period, with what is undone; maybe some from before."""
    work, undone = SessionWork(), SessionWork()
    undone_from = session.revert.message_id if session.revert else ""
    left = MESSAGES_READ
    async for message in own_messages(client, session, page=MESSAGES_A_PAGE):
        if not left or (_is_past(message, period) and not undone_from):
            break
        left -= 1
        # What is undone counts also if it is from before the period: the undo itself may have been in it.
        part = undone if undone_from else work
        part.add(message, session)
        if message.info.id == undone_from:
            undone_from = ""
    _add_undone(work, undone, session)
    return work


def _is_past(message: Message, period: Period) -> bool:
    """Return True if a message is an answer that ended before a period."""
    completed = message.info.time.completed
    return message.info.role == "assistant" and completed is not None and completed < period.begin


def _add_undone(work: SessionWork, undone: SessionWork, session: Session) -> None:
    """Add to the work of a session what is undone, and the undo itself, if any call is undone."""
    if not undone.calls:
        return
    undone.add_undo(session)
    work.calls += [replace(call, is_undone=True) for call in undone.calls]
    work.subagents |= undone.subagents


def _family(root: str, others: list[Session], works: dict[str, SessionWork], work: SessionWork) -> set[str]:
    """Return the session and its subagents, theirs, and so on."""
    family = {root, *work.subagents}
    while True:
        grown = family | {other.id for other in others if other.parent_id in family}
        for name in grown & works.keys():
            grown |= works[name].subagents
        if grown == family:
            return family
        family = grown


async def work_of_prompt(client: OpenCodeClient, session: Session, message_id: str) -> SessionWork:
    """Return the work on one prompt (``session.messages``)."""
    answers = await all_answers(client, Run(session.directory, session.id, message_id))
    return work_of_answers(answers, session, message_id)


def work_of_answers(answers: Sequence[Message], session: Session, message_id: str) -> SessionWork:
    """Return the work in the answers to a prompt, which begins with the time in the prompt's id."""
    work = work_of(answers, session)
    if answers:
        begun = answers[0].info.time.created
        work.ends.append(begun - age_of(message_id, int(begun)) * 1000)
    return work


async def work_of_session(
    client: OpenCodeClient, session: Session, within: Period = EVER
) -> tuple[SessionWork, list[str]]:
    """Return the work of a session, and the prompts whose answers changed files, the oldest first.

    What a fork copied, or what is undone, does not count (``session.messages``).

    Args:
        client: Reads the messages.
        session: The session.
        within: Period in which a message must have begun; its beginning is not part of it, its end is.
    """
    work, changing = SessionWork(), dict[str, None]()
    async for message in messages_not_undone(client, session):
        if not within.begin < message.info.time.created <= within.end:
            continue
        work.add(message, session)
        if message.info.parent_id and any(part.type == "patch" for part in message.parts):
            changing[message.info.parent_id] = None
    return work, list(reversed(changing))


async def files_without_diff(client: OpenCodeClient, session: Session, message_id: str = "") -> list[str]:
    """Return the files that editing calls have changed and OpenCode shows no diff of, relative to the directory.

    Args:
        client: Reads the messages.
        session: The session.
        message_id: The prompt; empty: all of the session.
    """
    if message_id:
        work = await work_of_prompt(client, session, message_id)
    else:
        work, _ = await work_of_session(client, session)
    return [file.path for file in list_named(work.unrecorded | (work.named & work.files), session.directory)]


async def work_since(client: OpenCodeClient, session: Session, first: str) -> tuple[SessionWork, list[str]]:
    """Return the work of a session from a prompt on, and its prompts, the latest first (``session.messages``).

    The prompt is not among them if a fork has copied it.
    """
    work, prompts = SessionWork(), list[str]()
    async for message in own_messages(client, session):
        work.add(message, session)
        if message.info.role == "user":
            prompts.append(message.info.id)
        if message.info.id == first:
            break
    return work, prompts

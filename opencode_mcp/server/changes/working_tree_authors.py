"""Sessions that changed the files of a working tree, from the latest sessions of its directory.

A file may also have been changed by hand, or by an older session: the messages show only who changed a file, and not
what is left of it. Only what was done since the last commit counts, if its time is known. Files that no session has
changed since then are searched in what the sessions did before: not every commit contains all changes.
"""

import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opencode_mcp.diffs.authorship import Period
from opencode_mcp.diffs.named_files import possible_paths
from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.http_client.read_group import read_each
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.runs.session_history.session_changes import LatestMessages, SessionChanges, read_latest
from opencode_mcp.server.access.operations_of_tools import SESSION_NAMES
from opencode_mcp.server.changes.change_authors import listed_names
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.results.session_name import session_name
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace import git_head

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

SESSIONS_READ = 30
"""Most sessions that are read, the latest changed first."""
MESSAGES_READ = 200
"""Most messages of one session that are read, the latest first."""
READ_SECONDS = 5.0
"""Seconds in which the sessions are read."""
SESSIONS_NAMED = 10


class TreeAuthor(NamedTuple):
    """Session that changed files of the working tree."""

    session_id: str
    title: str
    files: frozenset[str]
    """Files of the difference that its editing calls name."""
    perhaps: frozenset[str]
    """Files that a command or a subagent of it may have changed."""
    is_earlier: bool = False
    """True if it changed them before the last commit."""


async def read_tree_authors(
    bridge: "Bridge", directory: str, diffs: "Sequence[FileDiff]", *, uncommitted: bool = True
) -> list[TreeAuthor]:
    """Read which sessions changed some files (``experimental.session.list``, ``session.messages``).

    Args:
        bridge: Reaches OpenCode.
        directory: The directory of the working tree.
        diffs: Its changes.
        uncommitted: Whether they are those since the last commit.

    Returns:
        The sessions, the latest first; one that cannot be read in time is left out.
    """
    if not diffs or not bridge.allowed.serves(SESSION_NAMES):
        return []
    commit = await _last_commit(bridge, directory) if uncommitted else 0
    sessions = await _sessions(bridge, directory)
    paths = {diff.file: possible_paths(diff.file, directory) for diff in diffs}
    latest = await _read_latest(bridge, _changed_since(sessions, commit))
    authors = await _authors_since(bridge, directory, latest.values(), paths, commit)
    rest = _without_author(paths, authors)
    if commit and rest:
        latest |= await _read_latest(bridge, _others(sessions, latest))
        authors += await _earlier_authors(bridge, directory, latest.values(), rest)
    return authors


async def _last_commit(bridge: "Bridge", directory: str) -> float:
    """Return the time of the last commit; 0 if it is not known, as on another machine."""
    return 0 if bridge.settings.remote else await git_head.last_commit(directory)


def _changed_since(sessions: "Sequence[Session]", time: float) -> "list[Session]":
    return [session for session in sessions if session.changed >= time]


def _others(sessions: "Sequence[Session]", known: "Collection[str]") -> "list[Session]":
    """Return the sessions whose ids are not known."""
    return [session for session in sessions if session.id not in known]


def _without_author(paths: "dict[str, frozenset[str]]", authors: "Sequence[TreeAuthor]") -> "dict[str, frozenset[str]]":
    """Return the files that none of the sessions changed."""
    known = _files_of(authors)
    return {file: possible for file, possible in paths.items() if file not in known}


def _files_of(authors: "Sequence[TreeAuthor]") -> frozenset[str]:
    return frozenset(file for author in authors for file in author.files | author.perhaps)


async def _earlier_authors(
    bridge: "Bridge", directory: str, latest: "Iterable[LatestMessages]", paths: "dict[str, frozenset[str]]"
) -> list[TreeAuthor]:
    """Return the sessions that changed some files at any time, for files that none changed since the last commit."""
    authors = await _authors_since(bridge, directory, latest, paths, 0)
    return [author._replace(is_earlier=True) for author in authors]


async def _read_latest(bridge: "Bridge", sessions: "Sequence[Session]") -> dict[str, LatestMessages]:
    """Read the latest messages of sessions, by their ids; one that cannot be read in time is left out."""
    reads = {one.id: partial(read_latest, bridge.client, one, MESSAGES_READ) for one in sessions}
    found, _ = await read_each(reads, within=READ_SECONDS)
    return {one.id: cast("LatestMessages", found[one.id]) for one in sessions if one.id in found}


async def _authors_since(
    bridge: "Bridge",
    directory: str,
    latest: "Iterable[LatestMessages]",
    paths: "dict[str, frozenset[str]]",
    since: float,
) -> list[TreeAuthor]:
    """Return the sessions that changed some files since a time."""
    authors = [_author(one.session, one.changes(since), paths) for one in latest]
    calls = await bridge.runs.other_work(directory, Period(since, math.inf))
    brought = [
        TreeAuthor(call.session_id, call.title, _named(call.files, paths), frozenset())
        for call in calls
        if not call.is_undone
    ]
    return _without_doubt(_merged([*brought, *authors]))


async def _sessions(bridge: "Bridge", directory: str) -> "list[Session]":
    """Return the latest sessions of a directory; a failure only leaves them out, since the changes are known."""
    wanted = SessionFilter(archived=True, limit=SESSIONS_READ)
    try:
        found = await bridge.client.all_sessions(wanted, directory)
    except BridgeError as error:
        logger.info("could not list the sessions that changed %s: %s", directory, error)
        return []
    return [session for session in found.items if session.directory == directory]


def _author(session: "Session", changes: SessionChanges, paths: "dict[str, frozenset[str]]") -> TreeAuthor:
    certain = _named((file.path for file in changes.files if file.is_certain), paths)
    perhaps = _named((file.path for file in changes.files if not file.is_certain), paths)
    return TreeAuthor(session.id, title_of(session), certain, perhaps)


def _named(changed: "Iterable[str]", paths: "dict[str, frozenset[str]]") -> frozenset[str]:
    known = frozenset(changed)
    return frozenset(file for file, possible in paths.items() if possible & known)


def _merged(authors: "Sequence[TreeAuthor]") -> list[TreeAuthor]:
    """Return each session once: its isolated work may have been brought back several times."""
    merged: dict[str, TreeAuthor] = {}
    for author in authors:
        known = merged.get(author.session_id, author)
        files, perhaps = known.files | author.files, known.perhaps | author.perhaps
        merged[author.session_id] = known._replace(files=files, perhaps=perhaps)
    return list(merged.values())


def _without_doubt(authors: list[TreeAuthor]) -> list[TreeAuthor]:
    """Return the authors without the doubtful changes of files that calls of another session name."""
    certain = frozenset(file for author in authors for file in author.files)
    kept = [author._replace(perhaps=author.perhaps - certain) for author in authors]
    return [author for author in kept if author.files or author.perhaps]


def tree_note(authors: "Sequence[TreeAuthor]", diffs: "Sequence[FileDiff]", *, uncommitted: bool = True) -> str:
    """Return the sentences on who changed which file; empty if no session did.

    Args:
        authors: The sessions.
        diffs: The changes.
        uncommitted: Whether the changes are those since the last commit.
    """
    lines = [_line(author) for author in authors[:SESSIONS_NAMED]]
    if not lines:
        return ""
    more = len(authors) - SESSIONS_NAMED
    if more > 0:
        lines.append(f"- and {more} more sessions")
    known = _files_of(authors)
    others = [diff.file for diff in diffs if diff.file not in known]
    if others:
        lines.append(f"Made by hand, or by a session before the latest {SESSIONS_READ}: {listed_names(others)}.")
    head = f"{'These changes are not committed. ' if uncommitted else ''}Sessions that changed these files:"
    # Titles come from others, and changes are shown as they are.
    return shown("\n".join([head, *lines]))


def _line(author: TreeAuthor) -> str:
    perhaps = [f"{file} (perhaps, by a command or a subagent)" for file in sorted(author.perhaps)]
    earlier = ", maybe, since it was before the last commit" if author.is_earlier else ""
    names = listed_names([*sorted(author.files), *perhaps])
    return f"- {session_name(author.session_id, author.title)}{earlier}: {names}"


def tree_data(authors: "Sequence[TreeAuthor]", file: str) -> dict[str, Any]:
    """Return the field with the sessions of a file in structured content; nothing if none is known."""
    rows = [_row(author, file) for author in authors if file in author.files | author.perhaps]
    return {"sessions": rows[:SESSIONS_NAMED]} if rows else {}


def _row(author: TreeAuthor, file: str) -> dict[str, Any]:
    row: dict[str, Any] = {"session_id": author.session_id, "title": shown(one_line(author.title))}
    return row if file in author.files and not author.is_earlier else row | {"certain": False}

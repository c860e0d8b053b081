"""Comparison of what two sessions changed; of a fork and its origin, only what each did after the fork."""

from typing import TYPE_CHECKING, Any, NamedTuple

from opencode_mcp.diffs.authorship import Period
from opencode_mcp.markdown.file_changes import render_diff
from opencode_mcp.runs.reports.other_sessions import EVER
from opencode_mcp.runs.session_history.history import last_copied
from opencode_mcp.server.changes import change_authors
from opencode_mcp.server.results.render import TEXT_CHARACTERS, result
from opencode_mcp.server.sessions.versions_on_disk import versions_on_disk
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from mcp_types import CallToolResult

    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.workspace.globs import Globs

MOST_FILES = 200
FILES_NAMED = 50
ONE_FILE = "To see more of the cut parts, name fewer files with files=[...]."
HEADS = {
    "different": "Changed differently",
    "only_this": "Changed only by {this}",
    "only_other": "Changed only by {other}",
    "same": "Changed in the same way",
}
"""Beginnings of the lines that name files, by how they compare."""
VERSIONS = {
    "this": "On disk is the version of {this}",
    "other": "On disk is the version of {other}",
    "neither": "On disk is neither version, since the file changed later",
}
"""Beginnings of the lines that name files, by the version on disk."""


class _Fork(NamedTuple):
    """Fork of one of two sessions from the other."""

    fork: "Session"
    origin: "Session"
    time: float
    """Time of the last message that both have, in milliseconds since the epoch."""


async def compared(bridge: "Bridge", session: "Session", other: "Session", globs: "Globs | None") -> "CallToolResult":
    """Compare what two sessions changed: the patches of the files that they did not change in the same way.

    Args:
        bridge: Reaches OpenCode.
        session: One session.
        other: The other one.
        globs: Files to compare; ``None``: all.
    """
    fork = await _fork_of(bridge, session, other)
    ours = await _changes_by_file(bridge, session, globs, _since(fork, session))
    theirs = await _changes_by_file(bridge, other, globs, _since(fork, other))
    before = await _changes_by_file(bridge, fork.origin, globs, Period(0, fork.time)) if fork else {}
    rows = [_compared_file(path, ours.get(path), theirs.get(path)) for path in dict.fromkeys([*ours, *theirs])]
    if session.directory == other.directory:
        _add_versions(rows, await versions_on_disk(bridge, session.directory, ours, theirs))
    different = _different(rows)
    patches = [_patches_of(session.id, ours, different), _patches_of(other.id, theirs, different)]
    texts = list(filter(None, patches))
    lines = [
        _before_fork(fork, before) if fork else "",
        _comparison(session.id, other.id, rows, globs, since=" since the fork" if fork else ""),
        "" if session.directory == other.directory else "Each of them works in its own directory.",
    ]
    note = "\n".join(filter(None, lines))
    data = {"files": rows[:MOST_FILES], "diff": "\n\n".join(texts), "note": note}
    return result("\n\n".join([note, *texts]), data, verbatim=True)


async def _fork_of(bridge: "Bridge", session: "Session", other: "Session") -> _Fork | None:
    """Return the fork of one session from the other; ``None`` if neither is known to be one."""
    for fork, origin in ((session, other), (other, session)):
        if fork.forked_from == origin.id:
            return _Fork(fork, origin, await last_copied(bridge.client, fork))
    return None


def _since(fork: _Fork | None, session: "Session") -> Period:
    """Return the period whose changes of a session are compared; the fork's own changes are all later than the fork."""
    return Period(fork.time, EVER.end) if fork and session is fork.origin else EVER


async def _changes_by_file(
    bridge: "Bridge", session: "Session", globs: "Globs | None", within: Period
) -> "dict[str, FileDiff]":
    """Return what a session changed, without the files that only other sessions changed at the same time."""
    changes = await change_authors.own_changes(bridge, session, within=within)
    return {diff.file: diff for diff in changes.diffs if globs is None or globs.fit(diff.file)}


def _before_fork(fork: _Fork, files: "Iterable[str]") -> str:
    """Return the line on what the origin changed before the fork."""
    names = _listed(files)
    changed = f"{fork.origin.id} had changed {names}, which both sessions have" if names else "no file was changed"
    return (
        f"{fork.fork.id} is a fork of {fork.origin.id}. Before the fork, {changed}. "
        "The comparison shows only what changed after the fork."
    )


def _compared_file(path: str, ours: "FileDiff | None", theirs: "FileDiff | None") -> dict[str, Any]:
    if ours is None or theirs is None:
        compared = "only_other" if ours is None else "only_this"
    else:
        compared = "same" if (ours.status, ours.patch) == (theirs.status, theirs.patch) else "different"
    row: dict[str, Any] = {"path": path, "compared": compared}
    for name, diff in (("this", ours), ("other", theirs)):
        if diff:
            row[name] = {"change": diff.status, "added": diff.additions, "removed": diff.deletions}
    return row


def _different(rows: "Iterable[dict[str, Any]]") -> set[str]:
    """Return the paths of the files that were not changed in the same way."""
    return {row["path"] for row in rows if row["compared"] != "same"}


def _add_versions(rows: "Iterable[dict[str, Any]]", on_disk: "Mapping[str, str]") -> None:
    """Add to the rows of files which version is on disk, where that is known."""
    for row in rows:
        if version := on_disk.get(row["path"]):
            row["on_disk"] = version


def _comparison(this: str, other: str, rows: "Sequence[dict[str, Any]]", globs: "Globs | None", *, since: str) -> str:
    """Return the lines that say which files two sessions changed in which way.

    Args:
        this: Id of one session.
        other: Id of the other one.
        rows: The files that either of them changed.
        globs: Restriction of the files.
        since: Beginning of the compared time, for a sentence.
    """
    if not rows:
        return f"Neither {this} nor {other} changed a file{' that `files` names' if globs else ''}{since}."
    lines: list[str] = []
    for field, heads in (("compared", HEADS), ("on_disk", VERSIONS)):
        for value, head in heads.items():
            names = _listed(row["path"] for row in rows if row.get(field) == value)
            lines += [f"{head.format(this=this, other=other)}: {names}"] if names else []
    return "\n".join(lines)


def _listed(paths: "Iterable[str]") -> str:
    return listed([one_line(path) for path in paths], FILES_NAMED)


def _patches_of(session_id: str, diffs: "Mapping[str, FileDiff]", paths: "Collection[str]") -> str:
    """Return the patches of a session for some paths, with a heading; empty if it changed none of them."""
    shown = [diff for path, diff in diffs.items() if path in paths]
    if not shown:
        return ""
    return f"In {session_id}:\n\n{render_diff(shown, limit=TEXT_CHARACTERS // 2, pointer=ONE_FILE)}"

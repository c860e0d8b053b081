"""Tool that shows changes of files: by a session, by one prompt of it, or in the working tree."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.markdown import file_changes as markdown_diff
from opencode_mcp.runs.session_history import history
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.changes import (
    change_authors,
    isolated_changes_note,
    session_comparison,
    unseen_changes,
    working_tree_authors,
)
from opencode_mcp.server.changes.missing_changes import why_no_changes, why_without_git
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.resources.links import diff_link
from opencode_mcp.server.results.render import TEXT_CHARACTERS, result, without_tools
from opencode_mcp.server.results.schemas import CHANGES_TEXTS
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace import git_head
from opencode_mcp.workspace import globs as workspace_globs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcp_types import ResourceLink

    from opencode_mcp.diffs.authorship import Authorship
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.changes.working_tree_authors import TreeAuthor
    from opencode_mcp.workspace.globs import Globs

MOST_FILES = 200
NO_AUTHORS: "Mapping[str, Authorship]" = {}
ONE_FILE = "To see more of the cut parts, name fewer files with files=[...]."


class Changes(NamedTuple):
    """Changes of files, as far as OpenCode reports them."""

    diffs: "list[FileDiff]"
    note: str = ""
    is_unknown: bool = False
    """True if the note says why no change is shown although there may be some."""
    authors: "Mapping[str, Authorship]" = NO_AUTHORS
    """Files that are not, or not only, the changes of the session."""
    left_out: "Mapping[str, Authorship]" = NO_AUTHORS
    """Files that only other sessions changed."""
    author: str = ""
    """Author of the changes, as the subject of a sentence; empty for those of the working tree."""
    sessions: "Sequence[TreeAuthor]" = ()
    """Sessions that changed files of the working tree."""
    uncommitted: bool = False
    """True for the changes of the working tree since the last commit."""


@tool(
    title="Show changes",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    texts=CHANGES_TEXTS,
    long_results=True,
)
async def opencode_diff(
    ctx: BridgeContext,
    *,
    session_id: Annotated[str, Field(description="Else the working tree")] = "",
    message_id: Annotated[str, Field(description="Only this prompt: msg_...")] = "",
    directory: Annotated[str, Field(description="Allowed; else the first")] = "",
    against: Annotated[
        Literal["commit", "branch"],
        Field(description="branch: all since the default branch"),
    ] = "commit",
    compare_with: Annotated[str, Field(description="Another session_id")] = "",
    files: Annotated[list[str], Field(description="Only these paths, folders or globs")] = [],
) -> CallToolResult:
    """Show which files a session, one prompt, or the working tree changed, with patches and sessions.

    Use it to review work.
    """
    bridge = bridge_of(ctx)
    globs = workspace_globs.Globs(files)
    _check_combination(session_id, message_id, directory, compare_with)
    if not session_id:
        where = await bridge.fence.directory(directory)
        return await _working_tree_result(bridge, where, against, files, globs)
    session = await bridge.fence.session(session_id)
    if compare_with:
        other = await bridge.fence.session(compare_with)
        return await session_comparison.compared(bridge, session, other, globs if files else None)
    changes = _only(await _with_note(bridge, session, message_id), files, globs)
    return changes_result(changes, diff_link(session_id, message_id))


def _check_combination(session_id: str, message_id: str, directory: str, compare_with: str) -> None:
    """Refuse arguments that do not fit each other.

    Raises:
        InvalidArgument: Two of them exclude each other, or one that is missing is needed.
    """
    if compare_with and (message_id or not session_id):
        raise InvalidArgument("compare_with takes two whole sessions.", hint="Give session_id, and no message_id.")
    if message_id and not session_id:
        raise InvalidArgument(f"The prompt {message_id} needs a session.", hint="Give its session_id too.")
    if directory and session_id:
        raise InvalidArgument("A session has its own directory.", hint="Leave directory or session_id out.")


async def _working_tree_result(
    bridge: Bridge, directory: str, against: str, files: list[str], globs: "Globs"
) -> CallToolResult:
    tree = _only(await _working_tree(bridge, directory, against), files, globs)
    uncommitted = against == "commit"
    sessions = await working_tree_authors.read_tree_authors(bridge, directory, tree.diffs, uncommitted=uncommitted)
    elsewhere = isolated_changes_note.elsewhere_text(reversed(bridge.worktrees.left(directory)))
    note = " ".join(filter(None, [tree.note, elsewhere]))
    return changes_result(tree._replace(sessions=sessions, uncommitted=uncommitted, note=note))


async def _with_note(bridge: Bridge, session: "Session", message_id: str) -> Changes:
    """Return the changes of a session or of one prompt, with a note on where they are if the session is isolated.

    For a whole session, the note also says what OpenCode does not show. If the worktree does not exist any more, the
    note says only that.
    """
    found = await _of_session(bridge, session, message_id)
    worktree = unseen_changes.worktree_of(bridge, session.directory)
    if worktree and (lost := await unseen_changes.lost_note(bridge, worktree)):
        return found._replace(note=" ".join(filter(None, [found.note, lost])))
    note = "" if message_id else await _more_changes(bridge, session, found)
    place = await _isolated_place(bridge, session, found)
    return found._replace(note=" ".join(filter(None, [found.note, note, place])))


async def _of_session(bridge: Bridge, session: "Session", message_id: str) -> Changes:

    prompt = await history.prompt_of(bridge.client, session.id, message_id) if message_id else ""
    undone = session.revert.message_id if session.revert else ""
    own = await change_authors.own_changes(bridge, session, prompt)
    changes = Changes(own.diffs, authors=own.authors, left_out=own.left_out, author=own.author)
    if undone and not message_id:
        return changes._replace(note=f"It is undone from {undone} on.")
    reason = "" if own.diffs or own.left_out else await why_no_changes(bridge, session, prompt)
    return changes._replace(note=reason, is_unknown=bool(reason))


async def _more_changes(bridge: Bridge, session: "Session", changes: Changes) -> str:
    """Return a note on what OpenCode does not show of a session's changes."""
    worktree = unseen_changes.worktree_of(bridge, session.directory)
    seen = {diff.file for diff in changes.diffs} | changes.left_out.keys()
    unseen = await unseen_changes.unseen_note(bridge, worktree, seen) if worktree else ""
    return " ".join(filter(None, [unseen, unseen_changes.verification_note(bridge, session)]))


async def _isolated_place(bridge: Bridge, session: "Session", changes: Changes) -> str:
    """Return sentences on the worktree of an isolated session, and how to bring its changes back; empty for others."""
    worktree = unseen_changes.worktree_of(bridge, session.directory)
    if worktree is None or not changes.diffs:
        return ""
    is_brought = await bridge.worktrees.is_brought(worktree)
    place = isolated_changes_note.place_text(worktree, is_brought=is_brought, with_directory=True)
    brings = isolated_changes_note.bringing_text(worktree, session.id, is_brought=is_brought)
    return without_tools(f"{place} {brings}", bridge.unlisted_tools)


async def _working_tree(bridge: Bridge, directory: str, against: str) -> Changes:
    diffs = await bridge.client.vcs_diff(directory, "git" if against == "commit" else "branch")
    if against == "branch" and (stale := await _stale_branch(bridge, directory)):
        return Changes(diffs, stale)
    if diffs:
        return Changes(diffs)
    vcs = await bridge.client.vcs(directory)
    if against == "branch" and vcs.branch and vcs.branch == vcs.default_branch:
        branch = one_line(vcs.branch)
        note = f"The default branch {branch} is the one that is checked out: there is nothing to compare with."
        return Changes([], note)
    reason = await why_without_git(bridge, directory)
    return Changes([], reason, is_unknown=bool(reason))


async def _stale_branch(bridge: Bridge, directory: str) -> str:
    """Return a note if OpenCode does not know the branch that is checked out; empty if it does."""
    branch = "" if bridge.settings.remote else await git_head.checked_out(directory)
    vcs = await bridge.client.vcs(directory)
    known = vcs.branch or ""
    if branch in ("", known) or not (known or vcs.default_branch):
        return ""
    branch, known = one_line(branch), one_line(known) or "none"
    return (
        f"OpenCode assumes that the branch {known} is checked out, and not {branch}, since it checks only when it "
        f"starts in a project. {(await bridge.client.features()).rereading.hint}"
    )


def _only(changes: Changes, wanted: list[str], globs: "Globs") -> Changes:
    """Return the changes of the wanted files; if none of them is changed, a note that names changed files."""
    if not wanted:
        return changes
    kept = _fitting(changes, globs)
    is_explained = bool(changes.note or kept.left_out)
    if kept.diffs or (is_explained and not changes.diffs):
        return kept
    note = " ".join(filter(None, [changes.note, _none_fits(changes, wanted)]))
    return kept._replace(note=note, is_unknown=True)


def _fitting(changes: Changes, globs: "Globs") -> Changes:
    diffs = [diff for diff in changes.diffs if globs.fit(diff.file)]
    left_out = {file: authorship for file, authorship in changes.left_out.items() if globs.fit(file)}
    return changes._replace(diffs=diffs, left_out=left_out)


def _none_fits(changes: Changes, wanted: list[str]) -> str:
    """Return the sentences that say that no wanted file is changed, and which others are."""
    changed = f"file changed by {changes.author}" if changes.author else "changed file"
    quoted = [f'"{name}"' for name in wanted]
    missing = f"No {changed} fits files=[{change_authors.listed_names(quoted)}]."
    if not changes.diffs:
        return missing
    return f"{missing} Changed: {change_authors.listed_names([diff.file for diff in changes.diffs])}."


def changes_result(changes: Changes, link: "ResourceLink | None" = None) -> CallToolResult:
    """Return changes as a tool's result, after a note if there is one.

    Args:
        changes: The changes.
        link: Link to the complete changes.
    """
    diffs, authors = changes.diffs, changes.authors
    shown = {diff.file: authors[diff.file] for diff in diffs if diff.file in authors}
    note = " ".join(
        filter(None, [changes.note, change_authors.left_out_note(changes.left_out), change_authors.authors_note(shown)])
    )
    note = "\n".join(filter(None, [note, _tree_note(changes)]))
    text = ""
    if not changes.is_unknown:
        text = markdown_diff.render_diff(diffs, limit=TEXT_CHARACTERS, pointer=ONE_FILE, author=changes.author)
    data = {"files": _files(changes, shown), "diff": text} | ({"note": note} if note else {})
    more = link if text.endswith(ONE_FILE) else None
    return result("\n\n".join(filter(None, [note, text])), data, more, verbatim=True)


def _tree_note(changes: Changes) -> str:
    """Return the sentences on the sessions that changed the working tree; empty for the changes of a session."""
    return working_tree_authors.tree_note(changes.sessions, changes.diffs, uncommitted=changes.uncommitted)


def _files(changes: Changes, authors: "Mapping[str, Authorship]") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for diff in changes.diffs[:MOST_FILES]:
        row = {"path": diff.file, "change": diff.status, "added": diff.additions, "removed": diff.deletions}
        row |= change_authors.authors_data(authors.get(diff.file))
        rows.append(row | working_tree_authors.tree_data(changes.sessions, diff.file))
    return rows

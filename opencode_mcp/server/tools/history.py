"""What a session changed, and going back in it."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import BackendFailed, InvalidArgument, SessionBusy
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.links import diff_link
from opencode_mcp.server.render import TEXT_LIMIT, result
from opencode_mcp.server.schemas import CHANGES, FORK
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.runs import SessionId

if TYPE_CHECKING:
    from mcp_types import ResourceLink

    from opencode_mcp.opencode.models import FileDiff, Session

FILES_TOLD = 200
ONE_FILE = "What is cut is shown longer with files=[...] naming fewer."


@tool(title="Show changes", read_only=True, destructive=False, idempotent=True, open_world=False, output_schema=CHANGES)
async def opencode_diff(
    ctx: BridgeContext,
    *,
    session_id: Annotated[str, Field(description="What this session changed; empty: the working tree")] = "",
    message_id: Annotated[str, Field(description="Only what this prompt of it changed")] = "",
    directory: Annotated[str, Field(description="The working tree's project; empty: the default")] = "",
    against: Annotated[
        Literal["commit", "branch"],
        Field(description="Compare the working tree with its last commit or default branch"),
    ] = "commit",
    files: Annotated[list[str], Field(description="Only these paths, folders or globs")] = [],
) -> CallToolResult:
    """Show which files a session, one prompt, or the working tree changed: a table, then unified patches.

    Use it to review work that was done.
    """
    bridge = bridge_of(ctx)
    if not session_id:
        if message_id:
            raise InvalidArgument(f"The prompt {message_id} is of no session.", hint="Give its session_id too.")
        where = await bridge.fence.directory(directory)
        diffs, note = await _working_tree(bridge, where, against)
        return _changes(_only(diffs, files), note)
    if directory:
        raise InvalidArgument("A session has its own directory.", hint="Leave directory or session_id out.")
    session = await bridge.fence.session(session_id)
    diffs, note = await _of_session(bridge, session, message_id)
    return _changes(_only(diffs, files), note, diff_link(session_id, message_id))


async def _of_session(bridge: Bridge, session: "Session", message_id: str) -> "tuple[list[FileDiff], str]":
    from opencode_mcp.runs.history import prompt_of, session_changes

    prompt = await prompt_of(bridge.client, session.id, message_id) if message_id else ""
    undone = session.revert.message_id if session.revert else ""
    diffs = await session_changes(bridge.client, session.id, prompt, undone)
    note = "" if diffs else await _without_git(bridge, session.directory)
    return diffs, f"It is undone from {undone} on." if undone and not message_id else note


async def _working_tree(bridge: Bridge, directory: str, against: str) -> "tuple[list[FileDiff], str]":
    from opencode_mcp.opencode.models import FileDiff
    from opencode_mcp.opencode.transport import TOO_LARGE

    try:
        diffs = await bridge.client.vcs_diff(directory, "git" if against == "commit" else "branch")
    except BackendFailed as error:
        if error.kind != TOO_LARGE:
            raise
        status = await bridge.client.vcs_status(directory)
        kept = [FileDiff(**item.model_dump(include={"file", "status", "additions", "deletions"})) for item in status]
        return kept, "The patches are too large to show; this is the last commit's table."
    if diffs:
        return diffs, ""
    vcs = await bridge.client.vcs(directory)
    if against == "branch" and vcs.branch and vcs.branch == vcs.default_branch:
        return [], f"The default branch {vcs.branch} is the one that is checked out: there is nothing to compare with."
    return [], await _without_git(bridge, directory)


async def _without_git(bridge: Bridge, directory: str) -> str:
    vcs = await bridge.client.vcs(directory)
    return "" if vcs.branch else f"{directory} is no git repository, so OpenCode keeps no changes."


def _only(diffs: "list[FileDiff]", wanted: list[str]) -> "list[FileDiff]":
    """Those of the files that are wanted.

    Raises:
        InvalidArgument: None is; the hint names those that are changed.
    """
    from opencode_mcp.opencode.globs import fits

    if not wanted or not diffs:
        return diffs
    kept = [diff for diff in diffs if any(fits(diff.file, name) for name in wanted)]
    if not kept:
        names = ", ".join(diff.file for diff in diffs[:20])
        raise InvalidArgument(f"None of {', '.join(wanted)} is changed.", hint=f"Changed: {names}.")
    return kept


def _changes(diffs: "list[FileDiff]", note: str, link: "ResourceLink | None" = None) -> CallToolResult:
    from opencode_mcp.runs.diff import render_diff

    text = render_diff(diffs, limit=TEXT_LIMIT, pointer=ONE_FILE)
    data = {"files": _files(diffs), "diff": text} | ({"note": note} if note else {})
    return result("\n\n".join(filter(None, [note, text])), data, link if text.endswith(ONE_FILE) else None)


def _files(diffs: "list[FileDiff]") -> list[dict[str, Any]]:
    return [
        {"path": diff.file, "change": diff.status, "added": diff.additions, "removed": diff.deletions}
        for diff in diffs[:FILES_TOLD]
    ]


@tool(
    title="Undo in a session",
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
    output_schema=CHANGES,
)
async def opencode_revert(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    message_id: Annotated[str, Field(description="Undo from this prompt on, its own changes included")] = "",
    restore: Annotated[bool, Field(description="Bring back instead what was undone")] = False,
) -> CallToolResult:
    """Undo a session from a prompt on: its files go back to what they were, and later messages count no more.

    Use it when work went wrong. What others changed since in those files is undone too. The next prompt makes it final.
    """
    if restore == bool(message_id):
        raise InvalidArgument("Give either message_id or restore=true.", hint="opencode_session shows the messages.")
    bridge = bridge_of(ctx)
    session = await bridge.fence.session(session_id)
    if restore:
        return await _restore(bridge, session)
    return await _undo(bridge, session, message_id)


async def _undo(bridge: Bridge, session: "Session", message_id: str) -> CallToolResult:
    from opencode_mcp.runs.history import prompt_of
    from opencode_mcp.runs.raw_diff import parse_raw

    prompt = await prompt_of(bridge.client, session.id, message_id)
    await _refuse_if_busy(bridge, session)
    undone = (await bridge.client.session_revert(session.id, prompt)).revert
    if undone is None:
        raise BackendFailed(f"OpenCode did not undo {session.id} from {prompt} on.")
    note = f"{session.id} is undone from {undone.message_id} on; restore=true brings it back until the next prompt."
    return _changes(parse_raw(undone.diff), note)


async def _restore(bridge: Bridge, session: "Session") -> CallToolResult:
    if session.revert is None:
        note = f"In {session.id} nothing is undone."
    else:
        await _refuse_if_busy(bridge, session)
        await bridge.client.session_unrevert(session.id)
        note = f"{session.id} is restored from {session.revert.message_id} on, its files too."
    return result(note, {"files": [], "diff": "", "note": note})


async def _refuse_if_busy(bridge: Bridge, session: "Session") -> None:
    if session.id in await bridge.client.session_status(session.directory):
        raise SessionBusy(
            f"The session {session.id} is at work.",
            hint="Wait for it with opencode_wait, or stop it with opencode_abort.",
        )


@tool(
    title="Fork a session", read_only=False, destructive=False, idempotent=False, open_world=False, output_schema=FORK
)
async def opencode_fork(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    message_id: Annotated[str, Field(description="Copy only what comes before this message; empty: all")] = "",
) -> CallToolResult:
    """Copy a session's conversation into a new one.

    Use it to try something else from there. Files stay as they are.
    """
    from opencode_mcp.runs.history import prompt_of

    bridge = bridge_of(ctx)
    session = await bridge.fence.session(session_id)
    if message_id:
        await prompt_of(bridge.client, session.id, message_id)
    try:
        fork = await bridge.client.session_fork(session.id, message_id)
    except BackendFailed as error:
        raise await _why_not_forked(bridge, session, error) from error
    data = {"session_id": fork.id, "title": fork.title, "forked_from": session.id}
    what = f"what was said before {message_id}" if message_id else "all that was said"
    step = f'Go on in it with opencode_run(session_id="{fork.id}", prompt=...).'
    return result(f"{fork.id} ({fork.title}) holds {what} in {session.id}. {step}", data | {"next": step})


async def _why_not_forked(bridge: Bridge, session: "Session", error: BackendFailed) -> BackendFailed:
    from opencode_mcp.runs.history import first_structured_prompt

    prompt = await first_structured_prompt(bridge.client, session.id)
    if not prompt:
        return error
    return BackendFailed(
        f"OpenCode 1.18 cannot copy the prompt {prompt}, since it asked for a structured answer.",
        hint=f"Fork before it, with message_id={prompt!r} or an earlier one.",
        status=error.status,
    )

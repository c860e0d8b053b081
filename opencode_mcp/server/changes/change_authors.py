"""Authors of the changes of a session, as text and as structured content."""

from typing import TYPE_CHECKING, Any, NamedTuple

from opencode_mcp.diffs import authorship, diff_merge
from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.runs.reports import other_sessions
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.results.session_name import session_name
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opencode_mcp.diffs.authorship import Authorship, Period
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

FILES_NAMED = 20
HEADS = {
    "other": "Changed by other sessions in the same directory, not by this one",
    "shared": "Changed by this session and by others",
    "unknown": "Changed meanwhile, and it is not known by whom",
}


class OwnChanges(NamedTuple):
    """Changes of a session or of one prompt, without those that only other sessions made at the same time."""

    diffs: "list[FileDiff]"
    authors: "Mapping[str, Authorship]"
    """Files that are not, or not only, the changes of the session."""
    left_out: "Mapping[str, Authorship]"
    """Files that only other sessions changed."""
    author: str
    """Author of the diffs, as the subject of a sentence."""


async def own_changes(
    bridge: "Bridge", session: "Session", message_id: str = "", within: "Period | None" = None
) -> OwnChanges:
    """Read what a session changed, or one prompt of it.

    Args:
        bridge: Reaches OpenCode.
        session: The session.
        message_id: The prompt; empty: all of the session.
        within: Only what the session did in this period.
    """
    found, work = await _changes_and_work(bridge.client, session, message_id, within or other_sessions.EVER)
    authorships = await _authors_of(bridge, session, found, work)
    left_out = {file: whose for file, whose in authorships.items() if whose.whose == "other"}
    kept = {file: whose for file, whose in authorships.items() if file not in left_out}
    diffs = [diff for diff in found if diff.file not in left_out]
    return OwnChanges(diffs, kept, left_out, _author_of(message_id, kept))


def _author_of(message_id: str, authorships: "Mapping[str, Authorship]") -> str:
    """Return the author of changes as the subject of a sentence."""
    author = "this prompt" if message_id else "this session"
    is_known = all(whose.whose != "unknown" for whose in authorships.values())
    return author if is_known else f"{author} or others"


async def _changes_and_work(
    client: "OpenCodeClient", session: "Session", message_id: str, within: "Period"
) -> "tuple[list[FileDiff], authorship.SessionWork]":
    """Return the changes of a prompt or of a session, and the work that made them.

    OpenCode has the diff of each prompt (``session.diff``). Those of a session are the diffs of its prompts that count:
    not of those that a fork copied, or that are undone.
    """
    if message_id:
        diffs = diff_merge.merge_diffs([await client.session_diff(session.id, message_id)])
        return diffs, await other_sessions.work_of_prompt(
            client, session, message_id
        ) if diffs else authorship.SessionWork()
    work, prompts = await other_sessions.work_of_session(client, session, within)
    return diff_merge.merge_diffs([await client.session_diff(session.id, prompt) for prompt in prompts]), work


async def _authors_of(
    bridge: "Bridge", session: "Session", diffs: "Sequence[FileDiff]", work: "authorship.SessionWork"
) -> "dict[str, Authorship]":
    """Return whose changes some files are, without those that are only the session's."""
    if not diffs:
        return {}
    authors = await other_sessions.read_authors(bridge.client, session, work, work.period, bridge.runs.other_work)
    found = {diff.file: authors.find(diff.file) for diff in diffs}
    return {file: authorship for file, authorship in found.items() if authorship.whose != "this"}


def authors_note(authorships: "Mapping[str, Authorship]") -> str:
    """Return the sentences that say whose changes some files are; empty if there are none to name."""
    sentences: list[str] = []
    for whose, head in HEADS.items():
        files = [_file_with_others(file, found) for file, found in authorships.items() if found.whose == whose]
        sentences += [f"{head}: {listed_names(files)}."] if files else []
    # Titles come from others, and changes are shown as they are.
    return shown(" ".join(sentences))


def left_out_note(authorships: "Mapping[str, Authorship]") -> str:
    """Return a sentence on the files that only other sessions changed; empty if there are none."""
    files = [_file_with_others(file, found) for file, found in authorships.items()]
    if not files:
        return ""
    if len(files) == 1:
        return shown(f"1 file that other sessions changed is left out: {listed_names(files)}.")
    return shown(f"{len(files):,} files that other sessions changed are left out: {listed_names(files)}.")


def listed_names(files: list[str]) -> str:
    """Return some paths in one line; of many, the first and the number of the others."""
    return listed([one_line(file) for file in files], FILES_NAMED)


def _file_with_others(file: str, found: "Authorship") -> str:
    others = " or ".join(session_name(call.session_id, call.title) for call in found.others)
    if not others:
        return file
    return f"{file} ({others})" if found.whose != "unknown" else f"{file} (this session or {others})"


def authors_data(found: "Authorship | None") -> dict[str, Any]:
    """Return the fields of a file in structured content; none if it is the session's alone."""
    if found is None:
        return {}
    others = [
        {"session_id": call.session_id, "title": shown(one_line(made_title(call.title)))} for call in found.others
    ]
    return {"whose": found.whose, "others": others}

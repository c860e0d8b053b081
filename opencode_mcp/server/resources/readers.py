"""Read the content of resources: one function for each URI template, with the template's arguments as texts.

The contents are those of the tools, with more room. ``resources.py`` lists and matches the URIs.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast, get_args

from opencode_mcp.errors import CallerError, InvalidArgument, NotFound
from opencode_mcp.markdown import file_changes, transcript, transcript_page
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.runs.outcome import run_report
from opencode_mcp.runs.session_history import history
from opencode_mcp.server import similar_paths, uris
from opencode_mcp.server.changes import change_authors
from opencode_mcp.server.changes.missing_changes import why_no_changes
from opencode_mcp.server.project_status import describe_project
from opencode_mcp.server.resources.skill import skill_text
from opencode_mcp.server.results.run_reports.report_text import report_text
from opencode_mcp.server.results.safe_text import shown_data
from opencode_mcp.server.results.size_limit import TAIL_CHARACTERS, cut_text, fit_data
from opencode_mcp.server.sessions import session_details, session_list, session_rows
from opencode_mcp.workspace import file_scan, image_checks

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

MARKDOWN = "text/markdown"
JSON = "application/json"
PAGE = 50
"""Sessions or messages of a page, if the URI sets no limit."""
MOST_MESSAGES = 100
COUNT = re.compile(r"[0-9]{1,4}")
FILE_LIMIT = 2_000_000
NAMED = 20
"""Entries of a folder that an error names if the folder was read as a file."""
RESULT_BYTES = 100_000
"""Characters of one content; hosts have more room for a resource than for a result."""
CONTENT_BYTES = 2 * RESULT_BYTES
"""Bytes of one content, as JSON; only that of a file may be larger, up to ``FILE_LIMIT``."""


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a resource."""

    data: str | bytes
    mime_type: str


async def read_sessions(bridge: "Bridge", cursor: str = "") -> Content:
    """Return the sessions that callers may see, the latest first (``experimental.session.list``)."""
    page = await session_list.list_sessions(bridge, session_list.SessionQuery(), PAGE, cursor, totals=not cursor)
    data = (await session_rows.session_rows(bridge, page)).data
    following = data.pop("cursor")
    data["sessions"] = [row | {"transcript": uris.transcript(row["session_id"])} for row in data["sessions"]]
    return _json(data | ({"more": uris.sessions(following)} if following else {}))


async def read_skill(_bridge: "Bridge") -> Content:
    """Return the guidance for agents."""
    return _markdown(skill_text())


async def read_project(bridge: "Bridge", directory: str = "") -> Content:
    """Return the state of a project, as ``opencode_status`` shows it."""
    return _json(await describe_project(bridge, await bridge.fence.directory(directory)))


async def read_session(bridge: "Bridge", id: str) -> Content:  # noqa: A002 - the template's word
    """Return the state of a session, without its transcript."""
    session = await bridge.fence.session(id)
    data = session_details.view_data(
        await session_details.view_session(bridge, session, limit=0, cursor="", show="brief")
    )
    del data["cursor"]
    return _json(data | {"transcript": uris.transcript(id), "changes": uris.diff(id)})


async def read_transcript(
    bridge: "Bridge",
    id: str,  # noqa: A002 - the template's word
    limit: str = "",
    cursor: str = "",
    show: str = "",
) -> Content:
    """Return a page of a session's transcript; its first line is the URI of the page before."""
    session = await bridge.fence.session(id)
    page = await transcript_page.read_transcript(
        bridge.client,
        session,
        limit=_count(limit) if limit else PAGE,
        cursor=cursor,
        show=_shown_parts(show),
        characters=RESULT_BYTES,
        first_words_of=partial(bridge.runs.notes.first_words_of, session),
    )
    older = uris.transcript(id, limit=limit, cursor=page.cursor, show=show)
    return _markdown(f"Older messages: {older}\n\n{page.text}" if page.cursor else page.text)


def _shown_parts(text: str) -> ShownParts:
    known = get_args(ShownParts)
    if text and text not in known:
        raise InvalidArgument(f"show={text} is unknown.", hint=f"It takes {', '.join(known)}.")
    return cast("ShownParts", text or "brief")


def _count(text: str) -> int:
    if not COUNT.fullmatch(text) or not 1 <= int(text) <= MOST_MESSAGES:
        raise InvalidArgument(f"limit={text} is not a number of messages.", hint=f"It takes 1 to {MOST_MESSAGES}.")
    return int(text)


async def read_diff(bridge: "Bridge", id: str, message: str = "") -> Content:  # noqa: A002 - the template's word
    """Return the changes of a session, or of one prompt of it."""
    session = await bridge.fence.session(id)
    prompt = await history.prompt_of(bridge.client, id, message) if message else ""
    undone = session.revert.message_id if session.revert else ""
    changes = await change_authors.own_changes(bridge, session, prompt)
    pointer = f'opencode_diff(session_id="{id}", files=[...]) shows single files.'
    reason = "" if changes.diffs or changes.left_out or undone else await why_no_changes(bridge, session, prompt)
    shown = reason or file_changes.render_diff(
        changes.diffs, limit=RESULT_BYTES, pointer=pointer, author=changes.author
    )
    notes = [change_authors.left_out_note(changes.left_out), change_authors.authors_note(changes.authors)]
    return _markdown("\n\n".join(filter(None, [*notes, shown])))


async def read_todo(bridge: "Bridge", id: str) -> Content:  # noqa: A002 - the template's word
    """Return a session's todo list (``session.todo``)."""
    await bridge.fence.session(id)
    if not (await bridge.client.features()).todos:
        return _markdown("This version of OpenCode has no todo lists.")
    return _markdown("\n".join(run_report.list_todos(await bridge.client.session_todo(id))) or "There are no todos.")


async def read_message(bridge: "Bridge", id: str, message: str) -> Content:  # noqa: A002 - the template's word
    """Return one message with everything in it (``session.message``)."""
    session = await bridge.fence.session(id)
    await history.prompt_of(bridge.client, id, message)
    found = await bridge.client.session_message(id, message)
    return _markdown(transcript.render_message(found, limit=RESULT_BYTES, directory=session.directory))


async def read_run(bridge: "Bridge", session: str, message: str) -> Content:
    """Return the present report of a run; the message is its prompt, or any that answers it."""
    found = await bridge.fence.session(session)
    run = await bridge.runs.find(found, await history.prompt_of(bridge.client, session, message))
    return _markdown(report_text(await bridge.runs.follow(run, 0, corrects=False)))


async def read_file(bridge: "Bridge", path: str, directory: str = "") -> Content:
    """Return the unchanged content of a file: text as text, anything else as bytes."""
    place = await bridge.fence.place(directory)
    relative = bridge.fence.inside(place, path)
    try:
        async with bridge.files.open(place.project, relative) as file:
            data = bytearray()
            async for piece in file.pieces:
                data += piece
                if len(data) > FILE_LIMIT:
                    break
    except NotFound:
        raise await _no_file(bridge, place.project, relative) from None
    if len(data) > FILE_LIMIT:
        hint = "opencode_read_file reads it by lines."
        raise InvalidArgument(f"{relative} is larger than {FILE_LIMIT:,} bytes.", hint=hint)
    return _file_content(bytes(data), file.media_type)


def _file_content(data: bytes, media_type: str) -> Content:

    encoding = file_scan.encoding_of(data)
    if encoding:
        try:
            return Content(data.decode(encoding), media_type if _is_text_type(media_type) else "text/plain")
        except UnicodeDecodeError:
            pass
    kind = image_checks.image_type(data) or media_type
    if kind.startswith("image/") and image_checks.image_problem(data):
        # A host would pass it to a model as an image, and the model's API would refuse the whole conversation.
        kind = ""
    return Content(data, kind or "application/octet-stream")


def _is_text_type(media_type: str) -> bool:
    """Return True if a media type fits a text; by its name alone, ``x.ts`` would be a video."""
    return media_type.startswith(("text/", "application/")) or media_type.endswith("+xml")


async def _no_file(bridge: "Bridge", directory: str, path: str) -> CallerError:

    try:
        found = await bridge.files.names(directory, path)
    except NotFound:
        return NotFound(
            f"There is no file {path!r} in {directory}.",
            hint=await similar_paths.suggest_files(bridge, directory, path),
        )
    names = ", ".join(sorted(found)[:NAMED])
    return InvalidArgument(f"{path!r} is a folder.", hint=f"In it: {names}." if names else "It is empty.")


def _markdown(text: str) -> Content:

    return Content(cut_text(text, CONTENT_BYTES, tail=TAIL_CHARACTERS), MARKDOWN)


def _json(value: Mapping[str, Any]) -> Content:

    # Cleaned before it is JSON, which would keep control characters as escapes.
    safe = cast("dict[str, Any]", shown_data(value))
    fitted, _ = fit_data(safe, CONTENT_BYTES)
    return Content(json.dumps(fitted, ensure_ascii=False, indent=1), JSON)

"""What can be read at an address: a table of templates, each with a handler that reads it from OpenCode.

The fixed addresses and the recent sessions are listed; the rest are templates. Reading pages as the tools do.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from mcp.shared.uri_template import UriTemplate
from mcp_types import Annotations, Resource, ResourceTemplate

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server import uris

if TYPE_CHECKING:
    from opencode_mcp.opencode.models import Session
    from opencode_mcp.server.bridge import Bridge

MARKDOWN = "text/markdown"
JSON = "application/json"
PAGE = 50
LISTED_SESSIONS = 25
FILE_LIMIT = 2_000_000
LIMIT = 100_000
"""Characters of one reading; a host puts a resource where it has more room than for a result."""


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at an address."""

    data: str | bytes
    mime_type: str


class Reader(Protocol):
    """Reads a resource; the arguments are the template's, as texts."""

    def __call__(self, bridge: "Bridge", **arguments: str) -> Awaitable[Content]:
        """Read it."""
        ...


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """One kind of resource."""

    template: str
    name: str
    title: str
    description: str
    mime_type: str
    read: Callable[..., Awaitable[Content]]
    address: str = ""
    """The address that is listed by itself; empty: the template has placeholders that must be filled."""
    priority: float = 0.5

    @property
    def _annotations(self) -> Annotations:
        return Annotations(audience=["user", "assistant"], priority=self.priority)

    def as_template(self) -> ResourceTemplate:
        """As ``resources/templates/list`` shows it."""
        return ResourceTemplate(
            uri_template=self.template,
            name=self.name,
            title=self.title,
            description=self.description,
            mime_type=self.mime_type,
            annotations=self._annotations,
        )

    def as_resource(self) -> Resource:
        """As ``resources/list`` shows it."""
        return Resource(
            uri=self.address,
            name=self.name,
            title=self.title,
            description=self.description,
            mime_type=self.mime_type,
            annotations=self._annotations,
        )


async def _read_sessions(bridge: "Bridge", cursor: str = "") -> Content:
    page = await bridge.client.all_sessions({"limit": PAGE, "roots": True, "cursor": cursor or None})
    allowed = [session for session in page.items if await bridge.fence.allows(session.directory)]
    return _json({"sessions": [_facts(session) for session in allowed], "cursor": page.cursor})


async def _read_project(bridge: "Bridge", directory: str = "") -> Content:
    from opencode_mcp.server.tools.status import describe_project

    return _json(await describe_project(bridge, await bridge.fence.directory(directory)))


async def _read_session(bridge: "Bridge", id: str) -> Content:  # noqa: A002 - the template's word
    session = await bridge.fence.session(id)
    status = (await bridge.client.session_status(session.directory)).get(id)
    pending = await bridge.requests.open(session.directory, id)
    return _json(
        _facts(session)
        | {
            "status": status.type if status else "idle",
            "cost": session.cost or 0,
            "todos": [todo.model_dump(include={"content", "status"}) for todo in await bridge.client.session_todo(id)],
            "pending": [request.model_dump(mode="json", exclude_defaults=True) for request in pending],
            "children": [child.id for child in await bridge.client.session_children(id)],
        }
    )


async def _read_transcript(
    bridge: "Bridge",
    id: str,  # noqa: A002 - the template's word
    limit: str = str(PAGE),
    cursor: str = "",
    detailed: str = "",
) -> Content:
    from opencode_mcp.runs.transcript import render_transcript

    session = await bridge.fence.session(id)
    page = await bridge.client.session_messages(id, limit=_count(limit), before=cursor)
    older = uris.transcript(id, limit=limit, cursor=page.cursor) if page.cursor else ""
    pointer = f"Older messages: {older}" if older else ""
    text = render_transcript(
        page.items,
        detailed=detailed.lower() in {"1", "true", "yes"},
        limit=LIMIT,
        directory=session.directory,
        pointer="One message in full: " + uris.message(id, "{message}"),
    )
    return Content("\n\n".join(filter(None, [pointer, text])), MARKDOWN)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 2 * PAGE:
        raise InvalidArgument(f"limit={text!r} is no number of messages.", hint=f"It takes 1 to {2 * PAGE}.")
    return int(text)


async def _read_diff(bridge: "Bridge", id: str, message: str = "") -> Content:  # noqa: A002 - the template's word
    from opencode_mcp.runs.diff import render_diff
    from opencode_mcp.runs.history import session_changes

    await bridge.fence.session(id)
    changes = await session_changes(bridge.client, id, message)
    return Content(render_diff(changes, limit=LIMIT, pointer=""), MARKDOWN)


async def _read_todo(bridge: "Bridge", id: str) -> Content:  # noqa: A002 - the template's word
    from opencode_mcp.runs.report import list_todos

    await bridge.fence.session(id)
    return Content("\n".join(list_todos(await bridge.client.session_todo(id))) or "No todos.", MARKDOWN)


async def _read_message(bridge: "Bridge", id: str, message: str) -> Content:  # noqa: A002 - the template's word
    from opencode_mcp.runs.transcript import render_message

    session = await bridge.fence.session(id)
    found = await bridge.client.session_message(id, message)
    return Content(render_message(found, limit=LIMIT, directory=session.directory), MARKDOWN)


async def _read_run(bridge: "Bridge", session: str, message: str) -> Content:
    from opencode_mcp.server.render import report_text

    run = await bridge.runs.find(await bridge.fence.session(session), message)
    return Content(report_text(await bridge.runs.follow(run, 0)), MARKDOWN)


async def _read_file(bridge: "Bridge", path: str) -> Content:
    from opencode_mcp.opencode.project_files import ProjectFiles

    directory = await bridge.fence.directory()
    await bridge.fence.file(directory, path)
    data = bytearray()
    async with ProjectFiles(bridge.client, remote=bridge.settings.remote).open(directory, path) as file:
        async for piece in file.pieces:
            data += piece
            if len(data) > FILE_LIMIT:
                hint = "opencode_read_file reads it by lines."
                raise InvalidArgument(f"{path!r} is larger than {FILE_LIMIT:,} bytes.", hint=hint)
    try:
        return Content(data.decode(), file.media_type or "text/plain")
    except UnicodeDecodeError:
        return Content(bytes(data), file.media_type or "application/octet-stream")


RESOURCES = (
    ResourceSpec(
        uris.SESSIONS_TEMPLATE,
        "sessions",
        "Sessions",
        "OpenCode's sessions, the latest first",
        JSON,
        _read_sessions,
        uris.SESSIONS,
        0.8,
    ),
    ResourceSpec(
        uris.PROJECT_TEMPLATE,
        "project",
        "Project",
        "The project: branch, changed files, agents, models, commands",
        JSON,
        _read_project,
        uris.PROJECT,
        0.8,
    ),
    ResourceSpec(
        uris.SESSION_TEMPLATE,
        "session",
        "Session",
        "What a session is doing: status, todos, requests",
        JSON,
        _read_session,
    ),
    ResourceSpec(
        uris.TRANSCRIPT_TEMPLATE,
        "transcript",
        "Transcript",
        "What was said and done in a session, by page",
        MARKDOWN,
        _read_transcript,
    ),
    ResourceSpec(
        uris.DIFF_TEMPLATE,
        "diff",
        "Changes",
        "What a session, or one prompt of it, changed in files",
        MARKDOWN,
        _read_diff,
    ),
    ResourceSpec(uris.TODO_TEMPLATE, "todo", "Todos", "A session's todo list", MARKDOWN, _read_todo, priority=0.3),
    ResourceSpec(
        uris.MESSAGE_TEMPLATE,
        "message",
        "Message",
        "One message of a session in full",
        MARKDOWN,
        _read_message,
        priority=0.3,
    ),
    ResourceSpec(uris.RUN_TEMPLATE, "run", "Run", "The report of one run", MARKDOWN, _read_run, priority=0.3),
    ResourceSpec(
        uris.FILE_TEMPLATE, "file", "File", "A file of the default project", "text/plain", _read_file, priority=0.3
    ),
)
"""Every kind of resource, in the order in which they are listed."""


@cache
def _parsed(template: str) -> UriTemplate:
    return UriTemplate.parse(template)


def find_resource(uri: str) -> tuple[ResourceSpec, dict[str, str]] | None:
    """The kind of resource at an address, and the arguments that the address carries."""
    for spec in RESOURCES:
        found = _parsed(spec.template).match(uri)
        if found is not None:
            return spec, {name: str(value) for name, value in found.items()}
    return None


async def list_sessions_as_resources(bridge: "Bridge") -> list[Resource]:
    """The transcripts of the recent sessions, as ``resources/list`` shows them."""
    page = await bridge.client.all_sessions({"limit": LISTED_SESSIONS, "roots": True})
    return [_listed(session) for session in page.items if await bridge.fence.allows(session.directory)]


def _listed(session: "Session") -> Resource:
    return Resource(
        uri=uris.transcript(session.id),
        name=session.id,
        title=session.title or session.id,
        description=f"Transcript of a session in {session.directory}",
        mime_type=MARKDOWN,
        annotations=Annotations(
            audience=["user", "assistant"], priority=0.5, last_modified=_moment(session.time.updated)
        ),
    )


def _facts(session: "Session") -> dict[str, Any]:
    facts = {
        "session_id": session.id,
        "title": session.title,
        "directory": session.directory,
        "updated": _moment(session.time.updated),
        "transcript": uris.transcript(session.id),
    }
    return facts | ({"parent": session.parent_id} if session.parent_id else {})


def _moment(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(value: Mapping[str, Any]) -> Content:
    import json

    return Content(json.dumps(value, ensure_ascii=False, indent=1), JSON)

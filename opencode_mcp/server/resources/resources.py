"""Table of resources: their URI templates, each with its reader.

The fixed URIs and the recent sessions are listed; the rest are templates.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING

from mcp.shared.uri_template import UriTemplate
from mcp_types import Annotations, Resource, ResourceTemplate

from opencode_mcp.server import uris
from opencode_mcp.server.access.operations_of_tools import RESOURCE_USES
from opencode_mcp.server.resources import readers
from opencode_mcp.server.resources.readers import JSON, MARKDOWN, Content
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.sessions import session_list
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.utc_time import utc_text

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

LISTED_SESSIONS = 25
USUAL_PRIORITY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpec:
    """Kind of resources."""

    template: str
    name: str
    title: str
    description: str
    mime_type: str | None
    """None if it differs between such resources."""
    read: Callable[..., Awaitable[Content]]
    """Function that takes the bridge, and the template's arguments by name as texts."""
    address: str = ""
    """URI that ``resources/list`` lists; empty: the template has placeholders that must be filled."""
    priority: float = USUAL_PRIORITY
    verbatim: bool = False
    """True for contents of files, which must not be changed."""

    def as_template(self) -> ResourceTemplate:
        """Return the template for ``resources/templates/list``."""
        return ResourceTemplate(
            uri_template=self.template,
            name=self.name,
            title=self.title,
            description=self.description,
            mime_type=self.mime_type,
            annotations=_annotations(self.priority),
        )

    def as_resource(self) -> Resource:
        """Return the resource for ``resources/list``."""
        return Resource(
            uri=self.address,
            name=self.name,
            title=self.title,
            description=self.description,
            mime_type=self.mime_type,
            annotations=_annotations(self.priority),
        )


RESOURCES = (
    ResourceSpec(
        template=uris.SESSIONS_TEMPLATE,
        address=uris.SESSIONS,
        name="sessions",
        title="Sessions",
        description="OpenCode's sessions, the latest first: title, project, outcome, cost, last prompt",
        mime_type=JSON,
        read=readers.read_sessions,
        priority=0.8,
    ),
    ResourceSpec(
        template=uris.PROJECT_TEMPLATE,
        address=uris.PROJECT,
        name="project",
        title="Project",
        description="State of a project: branch, changed files, running sessions, agents, models with prices, commands",
        mime_type=JSON,
        read=readers.read_project,
        priority=0.8,
    ),
    ResourceSpec(
        template=uris.SKILL,
        address=uris.SKILL,
        name="opencode",
        title="Skill: OpenCode",
        description="Guidance for agents that delegate work with these tools",
        mime_type=MARKDOWN,
        read=readers.read_skill,
        verbatim=True,
    ),
    ResourceSpec(
        template=uris.SESSION_TEMPLATE,
        name="session",
        title="Session",
        description="State of a session: last run, todos, cost, subagents, open requests",
        mime_type=JSON,
        read=readers.read_session,
    ),
    ResourceSpec(
        template=uris.TRANSCRIPT_TEMPLATE,
        name="transcript",
        title="Transcript",
        description="Transcript of a session: the latest messages, and the URI of the older ones; "
        "limit is the number of messages; show is brief, conversation, tools or everything",
        mime_type=MARKDOWN,
        read=readers.read_transcript,
    ),
    ResourceSpec(
        template=uris.DIFF_TEMPLATE,
        name="changes",
        title="Changes",
        description="Files that a session or one prompt of it changed, as a diff",
        mime_type=MARKDOWN,
        read=readers.read_diff,
        verbatim=True,
    ),
    ResourceSpec(
        template=uris.TODO_TEMPLATE,
        name="todos",
        title="Todos",
        description="A session's todo list",
        mime_type=MARKDOWN,
        read=readers.read_todo,
        priority=0.3,
    ),
    ResourceSpec(
        template=uris.MESSAGE_TEMPLATE,
        name="message",
        title="Message",
        description="One message of a session, with everything in it",
        mime_type=MARKDOWN,
        read=readers.read_message,
        priority=0.3,
    ),
    ResourceSpec(
        template=uris.RUN_TEMPLATE,
        name="run",
        title="Run",
        description="Report of one prompt of a session: answer, changed files, cost, open requests",
        mime_type=MARKDOWN,
        read=readers.read_run,
        priority=0.3,
    ),
    ResourceSpec(
        template=uris.FILE_TEMPLATE,
        name="file",
        title="File",
        description="A file of a project, the default one unless directory names another",
        mime_type=None,
        read=readers.read_file,
        verbatim=True,
        priority=0.3,
    ),
)
"""All kinds of resources, in the order in which they are listed."""


@cache
def _parsed(template: str) -> UriTemplate:
    return UriTemplate.parse(template)


def find_resource(uri: str) -> tuple[ResourceSpec, dict[str, str]] | None:
    """Return the kind of resource that a URI names, and the arguments in the URI."""
    for spec in RESOURCES:
        found = _parsed(spec.template).match(uri)
        if found is not None:
            return spec, {name: str(value) for name, value in found.items()}
    return None


async def list_sessions_as_resources(bridge: "Bridge") -> list[Resource]:
    """Return the transcripts of the recent sessions for ``resources/list``."""
    for name in ("sessions", "transcript"):
        await bridge.check_served(RESOURCE_USES[name])
    page = await session_list.list_sessions(bridge, session_list.SessionQuery(), LISTED_SESSIONS, "", room=inf)
    return [_listed(session) for session in page.sessions]


def _listed(session: "Session") -> Resource:

    return Resource(
        uri=uris.transcript(session.id),
        name=session.id,
        title=shown(title_of(session)) or session.id,
        description=f"Transcript of a session in {one_line(session.directory)}",
        mime_type=MARKDOWN,
        annotations=_annotations(USUAL_PRIORITY, utc_text(session.time.updated)),
    )


def _annotations(priority: float, changed: str | None = None) -> Annotations:
    return Annotations(audience=["user", "assistant"], priority=priority, last_modified=changed)

"""Steps that tests take with the bridge's own calls of OpenCode 2, where a run asks for something."""

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.answer_summary import visible_text
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.text.json_types import JsonMap
from tests.harness.opencode2.running import OpenCode2
from tests.harness.project import make_project
from tests.harness.servers import eliciting_mcp
from tests.harness.waiting import eventually

WAIT = 60.0
"""Seconds that a run may take before a test gives up."""


ASKS_A_NAME: JsonMap = {
    "mode": "form",
    "message": "Who are you?",
    "requestedSchema": {
        "type": "object",
        "properties": {"name": {"type": "string", "title": "Name"}, "age": {"type": "integer", "minimum": 1}},
        "required": ["name"],
    },
}
"""Parameters of an elicitation that asks for a name, and for an age if the person likes."""


def eliciting_project(folder: Path, **servers: JsonMap) -> Path:
    """Make a project with MCP servers whose tool ``ask`` asks the user.

    Args:
        folder: Where to make it.
        servers: The parameters of the elicitation, by the name of the server.
    """
    project = make_project(folder / "eliciting")
    configured = {
        name: {
            "type": "local",
            "command": [sys.executable, eliciting_mcp.__file__],
            "environment": {"ELICITS": json.dumps(elicits)},
            "codemode": False,
        }
        for name, elicits in servers.items()
    }
    (project / "opencode.json").write_text(json.dumps({"mcp": {"servers": configured}}), encoding="utf-8")
    return project


async def servers_connected(client: OpenCodeClient, directory: str) -> None:
    """Wait until all MCP servers of a directory can be used."""

    async def look() -> bool:
        found = await client.mcp_status(directory)
        return bool(found) and all(server.status == "connected" for server in found.values())

    await eventually(look, seconds=WAIT)


def endpoint_of(server: OpenCode2) -> Endpoint:
    """Return the endpoint of a server."""
    return Endpoint(url=server.url, password=server.password, generation=2)


@asynccontextmanager
async def calling(server: OpenCode2) -> AsyncGenerator[OpenCodeClient]:
    """Open the bridge's client of a server."""
    with anyio.fail_after(3 * WAIT):
        async with connected(endpoint_of(server)) as client:
            yield client


async def started(client: OpenCodeClient, directory: Path, words: str, agent: str = "") -> Session:
    """Start a run in a new session."""
    session = await client.session_create(str(directory))
    await client.submit_prompt(
        session.id, session.directory, PromptSubmission(message_id=new_message_id(), text=words, agent=agent)
    )
    return session


async def permission_of(client: OpenCodeClient, session: Session) -> Permission:
    """Wait for the permission request of a session."""

    async def look() -> list[Permission]:
        found = await client.permissions(session.directory)
        return [item for item in found if item.session_id == session.id]

    return (await eventually(look, seconds=WAIT))[0]


async def question_of(client: OpenCodeClient, session: Session) -> Question:
    """Wait for the question of a session, or of an MCP server."""

    async def look() -> list[Question]:
        found = await client.questions(session.directory)
        return [item for item in found if item.of_directory or item.session_id == session.id]

    return (await eventually(look, seconds=WAIT))[0]


async def ended(client: OpenCodeClient, session: Session) -> list[ToolPart]:
    """Wait until a session is idle and return its tool calls."""

    async def look() -> bool:
        return session.id not in await client.session_status(session.directory)

    await eventually(look, seconds=WAIT)
    messages = (await client.session_messages(session.id, limit=20)).items
    return [part for message in messages for part in message.parts if isinstance(part, ToolPart)]


async def text_of(client: OpenCodeClient, session: Session) -> str:
    """Return what the model said."""
    messages = (await client.session_messages(session.id, limit=20)).items
    return "".join(visible_text(message) for message in messages if message.info.role == "assistant")

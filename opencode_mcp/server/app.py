"""Builds the MCP server: the one place where the parts are wired."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.request_state import RequestStateSecurity
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from opencode_mcp import __version__
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.completions import complete
from opencode_mcp.server.mcp_server import BridgeServer
from opencode_mcp.server.run_tasks import TOOLS as TASK_TOOLS
from opencode_mcp.server.run_tasks import RunTasks
from opencode_mcp.server.seal import Seal
from opencode_mcp.server.subscriptions import Subscriptions
from opencode_mcp.server.tasks import Tasks
from opencode_mcp.server.tools import listed_tools

if TYPE_CHECKING:
    from opencode_mcp.config import Settings

STATE_SECONDS = 86_400.0
"""How long a person may think about a form: a run waits as long as OpenCode runs."""

INSTRUCTIONS = """\
OpenCode is a coding agent that works in a project by itself: it reads, edits, runs commands and asks when it must. \
This server lets you hand it work and stay in control.

- Delegate: opencode_run(prompt=...) waits and reports the answer and the changed files. Long work comes back as \
`running`; go on waiting with opencode_wait. The work never stops because you stop waiting.
- Answer: a report that says `needs_input` names what OpenCode asks. Pass it on to the person where it matters, then \
use opencode_reply_permission or opencode_reply_question.
- In parallel: start several with wait_seconds=0, then opencode_wait(session_ids=[...]).
- Look around: opencode_status shows agents, models and the project, opencode_list_sessions earlier work, \
opencode_read_file a file.
- Anything else of OpenCode's API: opencode_find_operations, then opencode_read_operation or opencode_call_operation.

Keep the session_id of a report: the next prompt in it remembers all that was said. One prompt at a time in a session.
"""


def build_server(settings: "Settings") -> BridgeServer:
    """Make the server for these settings; nothing connects before a call needs it."""
    subscriptions = Subscriptions()

    @asynccontextmanager
    async def lifespan(_server: MCPServer[Bridge]) -> AsyncGenerator[Bridge]:
        async with anyio.create_task_group() as task_group:
            server.bridge = bridge = Bridge(settings, task_group, subscriptions)
            try:
                yield bridge
            finally:
                task_group.cancel_scope.cancel()
                await bridge.aclose()

    seal = Seal(settings.state_directory)
    server = BridgeServer(
        "opencode-mcp",
        title="OpenCode",
        description="Hand work to OpenCode, watch it live, answer it, and collect what it made.",
        instructions=INSTRUCTIONS,
        version=__version__,
        tools=[*listed_tools(settings)],
        extensions=[Tasks(RunTasks(seal), TASK_TOOLS)],
        request_state_security=RequestStateSecurity(codec=seal, ttl=STATE_SECONDS),
        log_level=settings.log_level,
        lifespan=lifespan,
        subscriptions=subscriptions.bus,
        middleware=[subscriptions.middleware],
    )
    _serve_completions(server)
    return server


def _serve_completions(server: BridgeServer) -> None:
    @server.completion()
    async def complete_argument(
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        filled = (context.arguments if context else None) or {}
        return await complete(server.bridge, argument.name, argument.value, filled)

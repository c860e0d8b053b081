"""Build the MCP server from its parts."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
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
from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS
from opencode_mcp.server.access.operations_of_tools import TOOL_USES
from opencode_mcp.server.batches.batches_as_mcp_tasks import RunAndBatchMcpTasks
from opencode_mcp.server.batches.worker import work_on_batches
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.icon import ICON
from opencode_mcp.server.instructions import instructions_for
from opencode_mcp.server.mcp_server import BridgeServer
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.server.resources import completions
from opencode_mcp.server.resources.skills_extension import Skills
from opencode_mcp.server.sdk_private import without_log_configuration
from opencode_mcp.server.tokens import token_codec
from opencode_mcp.server.tools import TOOLS, listed_tools
from opencode_mcp.server.waiting.call_context import add_arrival
from opencode_mcp.server.waiting.runs_as_mcp_tasks import TOOLS as TASK_TOOLS
from opencode_mcp.server.waiting.tasks_extension import TasksExtension

if TYPE_CHECKING:
    from mcp.server.context import ServerMiddleware

    from opencode_mcp.server.definition.tool import BridgeTool
    from opencode_mcp.server.shared_connection import Upstream
    from opencode_mcp.settings import Settings


@dataclass(frozen=True, slots=True)
class ToolNames:
    """Names of the tools of a server."""

    listed: frozenset[str]
    changing: frozenset[str]
    """Those that may change something, and those of our own that would if they were listed."""


MakeObservers = Callable[[ToolNames], "Iterable[ServerMiddleware[Any]]"]
STATE_SECONDS = 86_400.0
"""Time for which a form's answer is accepted; a run waits for it as long as OpenCode runs."""


def build_server(
    settings: "Settings", upstream: "Upstream | None" = None, observe: "MakeObservers | None" = None
) -> BridgeServer:
    """Build the server for some settings; nothing connects before a call needs it.

    Args:
        settings: What the operator decided.
        upstream: The connection to OpenCode, if it is shared with other servers of this process.
        observe: Makes middlewares that see each request first, from the names of the tools.
    """
    subscriptions = Subscriptions()

    @asynccontextmanager
    async def lifespan(_server: MCPServer[Bridge]) -> AsyncGenerator[Bridge]:
        async with _background() as task_group:
            server.bridge = bridge = Bridge(settings, task_group, subscriptions, upstream)
            bridge.unlisted_tools = frozenset(TOOL_USES) - server.tool_names
            task_group.start_soon(bridge.run_background_tasks)
            task_group.start_soon(work_on_batches, bridge)
            try:
                yield bridge
            finally:
                task_group.cancel_scope.cancel()
                await bridge.aclose()

    KNOWN_SECRETS.add(settings.on_finish_key)
    if settings.key_file:
        token_codec.key_in(settings.key_file)  # A wrong file must be known before a client comes.
    codec = token_codec.TokenCodec(settings.state_directory, settings.principal, settings.key_file)
    tools = listed_tools(settings)
    observers = observe(_names(tools)) if observe else ()
    with without_log_configuration():
        server = BridgeServer(
            "opencode-mcp",
            title="OpenCode",
            description="Delegate work to OpenCode, follow it live, answer its requests, and collect the results.",
            instructions=instructions_for([tool.name for tool in tools]),
            version=__version__,
            tools=[*tools],
            extensions=[TasksExtension(RunAndBatchMcpTasks(codec), TASK_TOOLS), Skills()],
            icons=[ICON],
            request_state_security=RequestStateSecurity(codec=codec, ttl=STATE_SECONDS),
            log_level=settings.log_level,
            lifespan=lifespan,
            subscriptions=subscriptions.bus,
            middleware=[*observers, add_arrival, subscriptions.middleware],
        )
    server.tool_names = frozenset(tool.name for tool in tools)
    _serve_completions(server)
    return server


@asynccontextmanager
async def _background() -> AsyncGenerator[TaskGroup]:
    """Yield a task group whose cancellation does not cancel the block; the block must cancel it at its end.

    A bridge is retired while the SDK goes on to serve its connections, so its tasks must end before the block does. The
    host task of a group that is entered here would be the block's own, and be cancelled with the group.
    """

    async def hold(*, task_status: TaskStatus[TaskGroup]) -> None:
        async with anyio.create_task_group() as held:
            task_status.started(held)
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        yield await tasks.start(hold)


def _names(tools: "Iterable[BridgeTool]") -> ToolNames:
    reading = frozenset(tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint)
    listed = frozenset(tool.name for tool in tools)
    own = frozenset(spec.name for spec in TOOLS if not spec.read_only)
    return ToolNames(listed, (listed - reading) | own)


def _serve_completions(server: BridgeServer) -> None:
    @server.completion()
    async def complete_argument(
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        filled = (context.arguments if context else None) or {}
        return await completions.complete(server.bridge, argument.name, argument.value, filled)

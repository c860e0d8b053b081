"""What a tool works with: the parts of the lower layers, each made when a call first needs it.

A host that only lists tools must not wait for HTTP, JSON Schema and models to be imported, and nothing may connect
before a call needs it; so the imports stand in the properties.
"""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

import anyio
from mcp.server.mcpserver import Context

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from opencode_mcp.config import Settings
    from opencode_mcp.events.hub import Hub
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.connection import Connection
    from opencode_mcp.runs.requests import Requests
    from opencode_mcp.runs.run import Runs
    from opencode_mcp.runs.steward import Steward
    from opencode_mcp.server.fence import Fence
    from opencode_mcp.server.subscriptions import Subscriptions

logger = logging.getLogger(__name__)


class Bridge:
    """The parts, wired; it lives as long as the server runs.

    Args:
        settings: What the operator decided.
        task_group: Runs what outlives a request.
        subscriptions: Those who want to hear of changes.
    """

    def __init__(self, settings: "Settings", task_group: "TaskGroup", subscriptions: "Subscriptions") -> None:
        self.settings = settings
        self.subscriptions = subscriptions
        self._task_group = task_group

    @cached_property
    def connection(self) -> "Connection":
        """The way to OpenCode."""
        from opencode_mcp.opencode.connection import Connection
        from opencode_mcp.opencode.launcher import Launcher

        return Connection(Launcher(self.settings))

    @cached_property
    def client(self) -> "OpenCodeClient":
        """OpenCode's operations, on whichever server is found."""
        from opencode_mcp.opencode.client import OpenCodeClient

        return OpenCodeClient(self.connection)

    @cached_property
    def hub(self) -> "Hub":
        """OpenCode's events."""
        from opencode_mcp.events.hub import Hub
        from opencode_mcp.server.notices import Notices

        hub = Hub(self.connection, self._task_group)
        self._task_group.start_soon(Notices(hub, self.subscriptions).run)
        return hub

    @cached_property
    def runs(self) -> "Runs":
        """Prompts and what becomes of them."""
        from opencode_mcp.runs.run import Runs

        return Runs(self.hub)

    @cached_property
    def requests(self) -> "Requests":
        """Permissions and questions."""
        from opencode_mcp.runs.requests import Requests

        return Requests(self.client, self.hub)

    @cached_property
    def steward(self) -> "Steward":
        """Carries out the operator's policy on permissions, also while nobody waits."""
        from opencode_mcp.runs.policy import Policy
        from opencode_mcp.runs.steward import Steward

        policy = Policy(self.settings.permissions, self.settings.permission_rules)
        steward = Steward(self.hub, self.requests, policy)
        self._task_group.start_soon(steward.watch)
        return steward

    @cached_property
    def fence(self) -> "Fence":
        """Where callers may work."""
        from opencode_mcp.server.fence import Fence

        return Fence(self.settings, self.client)

    @property
    def in_use(self) -> bool:
        """Whether OpenCode can be asked without starting it."""
        return self.settings.attached or ("connection" in self.__dict__ and self.connection.endpoint is not None)

    async def listen_to_events(self) -> None:
        """Have OpenCode's events come, as far as it can be reached; a later call tries again."""
        from opencode_mcp.errors import BridgeError

        try:
            await self.hub.ensure()
        except BridgeError as error:
            logger.warning("no events: %s", error)

    async def aclose(self) -> None:
        """Let go of OpenCode, if it was ever reached for."""
        if "connection" in self.__dict__:
            with anyio.CancelScope(shield=True):
                await self.connection.aclose()


BridgeContext = Context[Bridge, object]
"""What the SDK hands to a tool."""


def bridge_of(ctx: BridgeContext) -> Bridge:
    """The parts behind a request."""
    return ctx.request_context.lifespan_context

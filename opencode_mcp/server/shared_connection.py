"""The connection to OpenCode with its one event stream, which several bridges of a process may share."""

from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.events import hub
from opencode_mcp.launcher import connection, launcher
from opencode_mcp.opencode import client
from opencode_mcp.runs.starting import starting_leases, starting_runs

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from opencode_mcp.settings import Settings


class Upstream:
    """Everything between the bridges and OpenCode; nothing connects before a call needs it.

    Args:
        settings: Name the server, or how one is started.
        task_group: Runs the task of the event stream; it lives as long as the upstream.
    """

    def __init__(self, settings: "Settings", task_group: "TaskGroup") -> None:
        self._settings = settings
        self._task_group = task_group
        self._connection: connection.Connection | None = None
        self._starting: dict[str, starting_runs.StartingRuns] = {}

    @property
    def connection(self) -> "connection.Connection":
        """Return the connection to OpenCode."""
        if self._connection is None:
            self._connection = connection.Connection(launcher.Launcher(self._settings))
        return self._connection

    @cached_property
    def client(self) -> "client.OpenCodeClient":
        """Return the typed client for OpenCode's operations."""
        return client.OpenCodeClient(self.connection)

    @cached_property
    def hub(self) -> "hub.Hub":
        """Return the hub of OpenCode's events."""
        return hub.Hub(self.connection, self._task_group)

    def starting(self, principal: str) -> "starting_runs.StartingRuns":
        """Return the runs that bridges of a principal are starting: it has several if its tokens have other scopes."""
        if principal not in self._starting:
            folder = self._settings.state_directory / "starting" / sha256(principal.encode()).hexdigest()[:32]
            self._starting[principal] = starting_runs.StartingRuns(starting_leases.StartingLeases(folder))
        return self._starting[principal]

    @property
    def has_hub(self) -> bool:
        """Return True if events were needed, so that there is a hub."""
        return "hub" in vars(self)

    @property
    def is_connected(self) -> bool:
        """Return True if an OpenCode was found and not lost since."""
        return self._connection is not None and self._connection.endpoint is not None

    @property
    def has_answered(self) -> bool:
        """Return True if the present server has answered a request, so that it has started."""
        return self._connection is not None and self._connection.has_answered

    async def aclose(self) -> None:
        """Close the connection to OpenCode, if one was made."""
        if self._connection is not None:
            with anyio.CancelScope(shield=True):
                await self._connection.aclose()

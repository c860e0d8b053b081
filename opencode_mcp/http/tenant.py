"""An MCP server of its own for each principal, over the one connection to OpenCode.

Sessions, tasks, cursors, states of repeated calls and subscriptions exist only inside of a server. Those of another
principal therefore do not exist, whatever their ids are.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskStatus

from opencode_mcp.http.request_logs.request_log import RequestLog
from opencode_mcp.http.traces.spans import spans_middleware
from opencode_mcp.http.web.exchange import exchange_of, is_call
from opencode_mcp.http.web.not_served import refuse
from opencode_mcp.http.web.session_manager import SessionManager
from opencode_mcp.server import app
from opencode_mcp.server.open_calls import OpenCalls

if TYPE_CHECKING:
    from mcp.server.context import ServerMiddleware
    from opentelemetry.trace import Tracer
    from starlette.types import Receive, Scope, Send

    from opencode_mcp.http.request_logs.request_log import CountRequest
    from opencode_mcp.http.web.exchange import Exchange
    from opencode_mcp.server.app import ToolNames
    from opencode_mcp.server.shared_connection import Upstream
    from opencode_mcp.settings import Settings

REPORT_SECONDS = 4.0
"""Time that calls have to report the runs for which they wait, when their server ends."""


class Tenant:
    """The MCP server of one principal.

    Args:
        settings: What the principal may do.
        upstream: The connection to OpenCode.
        count: Counts each request that has ended.
        tracer: Makes a span of each request.
    """

    def __init__(
        self,
        settings: "Settings",
        upstream: "Upstream",
        count: "CountRequest | None" = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.settings = settings
        self._calls = OpenCalls()
        observe = partial(_observers, self._calls, settings, count, tracer)
        self._server = app.build_server(settings, upstream, observe)
        self._manager = SessionManager(self._server)
        self._exchanges: dict[Exchange, bool] = {}
        """The requests that are served, and for each whether it is a call that will end by itself."""
        self._ended = anyio.Event()
        """Set when a request is over."""
        self._stop = anyio.CancelScope()
        self._why_closed = ""

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until ``close``."""
        with self._stop:
            async with self._manager.run():
                task_status.started()
                await anyio.sleep_forever()

    async def handle(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request; one that comes after ``retire`` or ``close`` is refused."""
        if self._why_closed:
            await refuse(self._why_closed, scope, receive, send)
            return
        with self._kept(scope):
            await self._manager.asgi_app(scope, receive, send)

    @contextmanager
    def _kept(self, scope: "Scope") -> Generator[None]:
        exchange = exchange_of(scope)
        self._exchanges[exchange] = is_call(scope)
        try:
            yield
        finally:
            del self._exchanges[exchange]
            self._ended.set()

    @property
    def open_sessions(self) -> int:
        """Return the number of open sessions of the 2025 era."""
        return self._manager.open_sessions

    @property
    def open_waits(self) -> int:
        """Return the number of calls that wait for a run."""
        return len(self._server.bridge.waits)

    async def unfinished_tasks(self) -> Counter[str]:
        """Count the unfinished tasks of batches, by their status.

        Raises:
            InvalidSetting: The queue cannot be read.
        """
        bridge = self._server.bridge
        tasks = await bridge.batches.unfinished() if bridge.has_queue else []
        return Counter(task.status for task in tasks)

    async def calls_over(self) -> None:
        """Wait until no call is being made."""
        while any(self._exchanges.values()):
            self._ended = anyio.Event()
            await self._ended.wait()

    def end_waits(self) -> None:
        """Make the calls that wait for runs report them now."""
        self._server.bridge.end_waits()

    def retire(self, reason: str) -> None:
        """Begin nothing more, and cut off every request except the calls that wait for runs, which report them now.

        Args:
            reason: Sentences for the clients.
        """
        self._why_closed = reason
        for exchange, ends_by_itself in list(self._exchanges.items()):
            if not ends_by_itself:
                exchange.cancel(reason)
        self._calls.end_others(reason)
        self._server.bridge.retire()

    async def close_after_reports(self) -> None:
        """End when the calls that wait have reported; at the end of their time in any case."""
        with anyio.move_on_after(REPORT_SECONDS):
            await self.calls_over()
        self.close(self._why_closed)

    def close(self, reason: str) -> None:
        """Cut off every request and end; runs in OpenCode go on.

        Args:
            reason: Sentences for the clients.
        """
        self._why_closed = reason
        for exchange in list(self._exchanges):
            exchange.cancel(reason)
        self._stop.cancel()


def _observers(
    calls: OpenCalls,
    settings: "Settings",
    count: "CountRequest | None",
    tracer: "Tracer | None",
    tools: "ToolNames",
) -> "list[ServerMiddleware[Any]]":
    """Return what sees each request first; the log and the span of one that is ended say that it was cancelled."""
    spans = [spans_middleware(tracer, settings, tools)] if tracer else []
    return [calls.middleware, *spans, RequestLog(settings, tools, count).middleware]

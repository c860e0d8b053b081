"""Command ``opencode-mcp serve --http``: listen, serve until a signal arrives, and end without losing an answer.

The end: the bridge accepts no more connections; calls that wait for runs report them as they are; then everything else
is cut off, such as the streams of notifications. A run in OpenCode goes on.
"""

import logging
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.http.address import Address, listening
from opencode_mcp.http.authentication.authenticator import Authenticator
from opencode_mcp.http.authentication.without_authentication import check_authentication
from opencode_mcp.http.gate import Gate, OpenGate
from opencode_mcp.http.metrics.current_state import read_state
from opencode_mcp.http.metrics.serving import METRICS_PATH, Metrics, metrics_of
from opencode_mcp.http.oauth import access_tokens, resource_metadata
from opencode_mcp.http.oauth.oauth_settings import read_oauth
from opencode_mcp.http.principals.principal_file import PrincipalFile, exposure_of
from opencode_mcp.http.simultaneous_requests import SimultaneousRequests
from opencode_mcp.http.tenant import REPORT_SECONDS, Tenant
from opencode_mcp.http.traces.tracing import tracer_of
from opencode_mcp.http.web.cut_off_errors import SHUT_DOWN, SHUTTING_DOWN
from opencode_mcp.http.web.header_checks import allowed_names
from opencode_mcp.http.web.http_app import MCP_PATH, HttpApp
from opencode_mcp.http.web.web_server import WebServer, connection_limit
from opencode_mcp.server.shared_connection import Upstream
from opencode_mcp.server.stdio.stderr_log import JSON_LINES
from opencode_mcp.server.tokens.token_codec import key_in
from opencode_mcp.settings import settings_file

if TYPE_CHECKING:
    from socket import socket

    from anyio.abc import TaskGroup
    from opentelemetry.trace import Tracer
    from starlette.responses import Response

    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)


def serve_http(settings: "Settings", announce: Callable[[str], None]) -> None:
    """Serve MCP over HTTP until a signal arrives.

    Args:
        settings: What the operator decided.
        announce: Gets a line with each address as soon as clients can connect.

    Raises:
        InvalidSetting: An address cannot be used, or not without authentication, or the key file is wrong.
    """
    logging.getLogger(JSON_LINES).setLevel(logging.INFO)
    check_authentication(settings, Address.read(settings.http))
    if settings.key_file:
        key_in(settings.key_file)  # The servers of principals, which read it, start later.
    with listening(settings.http) as (listener, bound), metrics_of(settings) as metrics:

        def listens() -> None:
            announce(f"MCP is served at {bound.with_path(MCP_PATH)}")
            if metrics:
                announce(f"Metrics are served at {metrics.address.with_path(METRICS_PATH)}")

        anyio.run(_Serving(settings, bound, metrics, listens).run, listener)


class _Serving:
    """One run of the command."""

    def __init__(
        self, settings: "Settings", address: Address, metrics: Metrics | None, announce: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._names = allowed_names(settings, address)
        self._metrics = metrics
        self._instruments = metrics.instruments if metrics else None
        self._announce = announce
        # Wrong tables must be known before clients can connect.
        self._oauth = read_oauth(settings)
        self._open_requests = SimultaneousRequests(connection_limit())
        path = settings_file(settings.environment)
        self._file = None if settings.insecure_no_auth else PrincipalFile(path, settings)
        if self._file and (exposure := exposure_of(path)):
            logger.warning("%s", exposure)

    async def run(self, listener: "socket") -> None:
        """Serve at a socket until a signal arrives."""
        async with (
            _signals() as arrived,
            tracer_of(self._settings.environment) as tracer,
            anyio.create_task_group() as tasks,
            self._upstream(tasks) as upstream,
        ):
            gate = await self._gate(upstream, tracer, tasks)
            count = self._instruments.count_response if self._instruments else None
            app = HttpApp(gate, self._names, self._settings.http_origin, self._documents(), count)
            web_server = WebServer(app, self._settings.forwarded_allow)
            async with anyio.create_task_group() as web:
                web.start_soon(web_server.serve, [listener])
                if self._metrics:
                    web.start_soon(self._metrics.serve, partial(read_state, gate, web_server, upstream))
                await web_server.listens.wait()
                self._announce()
                await arrived()
                app.is_closing = web_server.should_exit = True
                await self._end(gate.tenants)
                if self._metrics:
                    self._metrics.close()
            tasks.cancel_scope.cancel()

    async def _end(self, tenants: "Iterable[Tenant]") -> None:
        """Make the calls report at once, wait until they have, and cut everything else off."""
        for tenant in tenants:
            tenant.end_waits()
        with anyio.move_on_after(REPORT_SECONDS):
            for tenant in tenants:
                await tenant.calls_over()
        self._open_requests.close(SHUTTING_DOWN)
        for tenant in tenants:
            tenant.close(SHUT_DOWN)

    async def _gate(self, upstream: Upstream, tracer: "Tracer | None", tasks: "TaskGroup") -> "Gate | OpenGate":
        count = self._instruments.count_request if self._instruments else None
        make_tenant = partial(Tenant, upstream=upstream, count=count, tracer=tracer)
        if self._file:
            gate = Gate(self._file, self._authenticator(self._file, tasks), make_tenant, tasks, self._open_requests)
            tasks.start_soon(gate.watch)
            return gate
        tenant = make_tenant(self._settings)
        await tasks.start(tenant.run)
        open_gate = OpenGate(tenant, settings_file(self._settings.environment), self._open_requests)
        tasks.start_soon(open_gate.watch)
        return open_gate

    def _authenticator(self, file: PrincipalFile, tasks: "TaskGroup") -> Authenticator:
        if self._oauth is None:
            return Authenticator(file)
        tokens = access_tokens.AccessTokens(self._oauth, tasks)
        tokens.prepare()
        return Authenticator(file, tokens)

    def _documents(self) -> "Mapping[str, Response]":
        return resource_metadata.metadata_documents(self._oauth) if self._oauth else {}

    @asynccontextmanager
    async def _upstream(self, tasks: "TaskGroup") -> AsyncGenerator[Upstream]:
        upstream = Upstream(self._settings, tasks)
        try:
            yield upstream
        finally:
            await upstream.aclose()


@asynccontextmanager
async def _signals() -> "AsyncGenerator[Callable[[], Awaitable[object]]]":
    """Yield a function that waits for a signal to end; on Windows only Ctrl+C ends the bridge."""
    if sys.platform == "win32":
        yield anyio.sleep_forever
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        yield signals.__anext__

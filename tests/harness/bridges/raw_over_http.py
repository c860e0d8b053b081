"""JSON-RPC over HTTP for the tests that send it over stdio: each message is a POST of its own.

In the 2025 era there is a session, and a stream of what belongs to no request. In the 2026 era, a request is cancelled
by the end of its connection.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import httpx
from anyio.abc import TaskGroup, TaskStatus
from httpx_sse import EventSource
from mcp.shared.inbound import encode_header_value

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import REPLY, Host, Json, RawClient, strictly_parsed
from tests.harness.bridges.served import Served, serving
from tests.harness.failures import unwrapped
from tests.harness.servers.http import loopback_client

ACCEPT = "application/json, text/event-stream"
NAMES = ("name", "uri", "taskId")
"""Parameters of which a modern request repeats the first in the header ``Mcp-Name``."""


class RawHttpClient(RawClient):
    """Client of a bridge that serves HTTP."""

    def __init__(self, served: Served, host: Host, http: httpx.AsyncClient, tasks: TaskGroup) -> None:
        super().__init__(host)
        self._served = served
        self._http = http
        self._tasks = tasks
        self._session: dict[str, str] = {}
        self._open: dict[int, anyio.CancelScope] = {}
        """Requests without a response."""

    async def write(self, message: object) -> None:
        """Send a message. A request is under way then; anything else has been accepted."""
        sent = cast("Json", message)
        if "method" in sent and "id" in sent:
            self._open[sent["id"]] = anyio.CancelScope()
            self._tasks.start_soon(self._ask, sent)
        elif self.host.modern and sent["method"] == "notifications/cancelled":
            self._open[sent["params"]["requestId"]].cancel()
        else:
            await self._notify(sent)

    def kill(self) -> None:
        """Kill the bridge."""
        self._served.process.kill()

    async def _notify(self, message: Json) -> None:
        response = await self._http.post(self._served.url, json=message, headers=self._headers(message))
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        if message.get("method") == "notifications/initialized":
            await self._tasks.start(self._listen)

    async def _ask(self, request: Json) -> None:
        headers = self._headers(request)
        with self._open[request["id"]]:
            try:
                async with self._http.stream("POST", self._served.url, json=request, headers=headers) as response:
                    await self._read(request, response)
            except httpx.TransportError:
                self._end()
        del self._open[request["id"]]

    async def _read(self, request: Json, response: httpx.Response) -> None:
        if session := response.headers.get("mcp-session-id"):
            self._session = {"Mcp-Session-Id": session}
        if "text/event-stream" in response.headers["content-type"]:
            await self._read_events(response)
        else:
            # The id is missing if the request was refused before it was read.
            self._take(strictly_parsed(await response.aread()) | {"id": request["id"]})

    async def _read_events(self, response: httpx.Response) -> None:
        async for event in EventSource(response).aiter_sse():
            if event.data:
                self._take(strictly_parsed(event.data.encode()))

    async def _listen(self, *, task_status: TaskStatus[None]) -> None:
        """Take in what belongs to no request, until the bridge ends."""
        try:
            async with self._http.stream("GET", self._served.url, headers=self._headers({})) as response:
                assert response.status_code == httpx.codes.OK, await response.aread()
                task_status.started()
                await self._read_events(response)
        except httpx.TransportError:
            self._end()

    def _headers(self, message: Json) -> dict[str, str]:
        headers = {"Accept": ACCEPT, **self._session}
        if not self.host.modern:
            return headers if message.get("method") == "initialize" else headers | self._version
        params: dict[str, Any] = message.get("params", {})
        name = next((params[key] for key in NAMES if isinstance(params.get(key), str)), "")
        return headers | self._version | {"Mcp-Method": message["method"], "Mcp-Name": encode_header_value(name)}

    @property
    def _version(self) -> dict[str, str]:
        return {"MCP-Protocol-Version": self.host.protocol}


@asynccontextmanager
async def open_raw_over_http(launch: Launch, host: Host | None) -> AsyncGenerator[RawClient]:
    """Start a bridge that serves HTTP, and shake hands; leaving ends it."""
    with serving(launch) as served, unwrapped():
        timeout = httpx.Timeout(REPLY, read=None)
        async with loopback_client(served.base) as http, anyio.create_task_group() as tasks:
            http.timeout = timeout
            client = RawHttpClient(served, host or Host(), http, tasks)
            await client.handshake()
            yield client
            tasks.cancel_scope.cancel()

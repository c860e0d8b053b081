"""The bridge as a host has it: the installed command behind the SDK's client, in either era, over stdio or HTTP."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.session import ElicitationFnT
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, TextContent

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.served import serving
from tests.harness.bridges.transport import USUAL, Transport
from tests.harness.failures import unwrapped
from tests.harness.servers.http import NO_CERTIFICATES

Era = Literal["2025", "2026"]
MODES: Mapping[Era, str] = {"2025": "legacy", "2026": "auto"}
"""The SDK's name for each era; a modern host asks first, as ``auto`` does."""
DATA_READER = Implementation(name="claude-code", version="1")
"""A host whose model reads the structured content alone, and which is therefore sent all of it."""
CALL = 120.0
"""Seconds that any one call may take before the test fails."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress notification."""

    progress: float
    total: float | None
    message: str | None


@dataclass(slots=True)
class Bridge:
    """A connected bridge, and the progress that it reported."""

    client: Client
    launch: Launch
    progress: list[Progress] = field(default_factory=list[Progress])
    """Of all calls, in order of arrival."""

    async def call(self, tool: str, /, **arguments: object) -> CallToolResult:
        """Call a tool, also with a result that is an error."""
        return await self.client.call_tool(tool, arguments, CALL, self._note)

    async def _note(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(Progress(progress, total, message))


class OpenBridge(Protocol):
    """Connects to a bridge for the length of an ``async with``."""

    def __call__(
        self, *, era: Era = "2026", elicit: ElicitationFnT | None = None, host: Implementation = DATA_READER
    ) -> AbstractAsyncContextManager[Bridge]:
        """Start and connect; see ``open_bridge``."""
        ...


@asynccontextmanager
async def open_bridge(
    launch: Launch,
    *,
    era: Era = "2026",
    elicit: ElicitationFnT | None = None,
    host: Implementation = DATA_READER,
    transport: Transport | None = None,
) -> AsyncGenerator[Bridge]:
    """Start a bridge and connect to it; leaving ends it.

    Args:
        launch: What to start.
        era: Which protocol the client speaks.
        elicit: Answers elicitations; without it, the client declares none.
        host: What the client says of itself.
        transport: How the client reaches it; without it, as is usual in the test.
    """
    if (transport or USUAL.transport) == "stdio":
        async with _over_stdio(launch, era, elicit, host) as bridge:
            yield bridge
        return
    with serving(launch) as served:
        async with connected(served.url, launch, era=era, elicit=elicit, host=host) as bridge:
            yield bridge


@asynccontextmanager
async def connected(
    url: str,
    launch: Launch,
    *,
    era: Era = "2026",
    elicit: ElicitationFnT | None = None,
    host: Implementation = DATA_READER,
    token: str = "",
    certificates: ssl.SSLContext = NO_CERTIFICATES,
) -> AsyncGenerator[Bridge]:
    """Connect to a bridge that serves HTTP; see ``open_bridge``."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = httpx2.Timeout(CALL, read=CALL)
    with unwrapped():
        async with (
            httpx2.AsyncClient(headers=headers, timeout=timeout, trust_env=False, verify=certificates) as http,
            Client(
                streamable_http_client(url, http_client=http),
                mode=MODES[era],
                elicitation_callback=elicit,
                client_info=host,
            ) as client,
        ):
            assert client.protocol_version.startswith(era), launch.printed()
            yield Bridge(client, launch)


@asynccontextmanager
async def _over_stdio(
    launch: Launch, era: Era, elicit: ElicitationFnT | None, host: Implementation
) -> AsyncGenerator[Bridge]:
    program, *arguments = launch.command
    command = StdioServerParameters(
        command=program, args=arguments, env=dict(launch.environment), cwd=launch.environment["HOME"]
    )
    with launch.log.open("a", encoding="utf-8") as log, unwrapped():
        transport = stdio_client(command, errlog=log)
        async with Client(transport, mode=MODES[era], elicitation_callback=elicit, client_info=host) as client:
            # A client that gets no answer to its first question falls back to the older era.
            assert client.protocol_version.startswith(era), launch.printed()
            yield Bridge(client, launch)


def text_of(result: CallToolResult) -> str:
    """The text that a result shows to a model."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def data_of(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a result that is no error."""
    assert not result.is_error, text_of(result)
    content = cast("object", result.structured_content)
    assert isinstance(content, dict), text_of(result)
    return cast("dict[str, Any]", content)

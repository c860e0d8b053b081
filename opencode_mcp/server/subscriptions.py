"""Who wants to hear that a resource or a list has changed, and how each is told, in both eras.

A client of the 2026-07-28 era listens on a stream that the SDK serves from a bus (``subscriptions/listen``). One of the
2025 era subscribes to single resources, which the SDK leaves to us: the middleware answers it and remembers the
connection. What changed, and when, is known to ``notices.py``.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

MODERN = "2026"
SUBSCRIPTIONS_A_CLIENT = 1000
SEND_TIMEOUT = 1.0
OFFERED = {"resources": {"subscribe": True, "listChanged": True}, "prompts": {"listChanged": True}}
"""What the handshake of the 2025 era says that we serve; the SDK does not know."""

Context = ServerRequestContext[Any, Any]


class CountingBus(InMemorySubscriptionBus):
    """The SDK's bus, which also knows whether anybody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = 0

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Add a listener; see the base class."""
        unsubscribe = super().subscribe(listener)
        left = iter([True])
        self.streams += 1

        def leave() -> None:
            if next(left, False):
                self.streams -= 1
                unsubscribe()

        return leave


@dataclass(slots=True)
class _Client:
    """A connection of the 2025 era."""

    session: "ServerSession"
    params: object
    """Kept so that its identity, which names the connection, stays its own."""
    uris: set[str] = field(default_factory=set[str])


class Subscriptions:
    """The subscribers of one server."""

    def __init__(self) -> None:
        self.bus = CountingBus()
        self._clients: dict[int, _Client] = {}
        self._streamed: Counter[str] = Counter()

    @property
    def anybody(self) -> bool:
        """Whether anybody may want to hear of anything."""
        return bool(self._clients) or self.bus.streams > 0

    def wanted(self) -> set[str]:
        """Every address that somebody subscribed to."""
        return set(self._streamed).union(*(client.uris for client in self._clients.values()))

    async def tell_updated(self, uri: str) -> None:
        """Tell those who subscribed to an address that it changed."""
        await self.bus.publish(ResourceUpdated(uri=uri))
        for client in [client for client in self._clients.values() if uri in client.uris]:
            await self._send(client, lambda session: session.send_resource_updated(uri))

    async def tell_resources_changed(self) -> None:
        """Tell everybody that resources came or went."""
        await self.bus.publish(ResourcesListChanged())
        for client in list(self._clients.values()):
            await self._send(client, lambda session: session.send_resource_list_changed())

    async def tell_prompts_changed(self) -> None:
        """Tell everybody that prompts came or went."""
        await self.bus.publish(PromptsListChanged())
        for client in list(self._clients.values()):
            await self._send(client, lambda session: session.send_prompt_list_changed())

    async def _send(self, client: _Client, send: "Callable[[ServerSession], Awaitable[None]]") -> None:
        """Send a notice; a client that is gone, or reads nothing, is forgotten and does not hold up the others."""
        with anyio.move_on_after(SEND_TIMEOUT) as scope:
            try:
                await send(client.session)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                self._clients.pop(id(client.params), None)
        if scope.cancelled_caught:
            self._clients.pop(id(client.params), None)

    async def middleware(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Serve what the SDK leaves to us; all else passes."""
        match ctx.method:
            case "initialize":
                return _offer(await call_next(ctx))
            case "notifications/initialized":
                self._client(ctx)
                return await call_next(ctx)
            case "resources/subscribe" | "resources/unsubscribe" if ctx.protocol_version < MODERN:
                return await self._change(ctx)
            case "subscriptions/listen":
                with self._stream(_streamed_uris(ctx)):
                    return await self._listen(ctx, call_next)
            case _:
                return await call_next(ctx)

    def _client(self, ctx: Context) -> _Client:
        params = ctx.session.client_params
        return self._clients.setdefault(id(params), _Client(ctx.session, params))

    async def _change(self, ctx: Context) -> HandlerResult:
        client = self._client(ctx)
        uri = str((ctx.params or {}).get("uri") or "")
        if ctx.method == "resources/unsubscribe":
            client.uris.discard(uri)
            return {}
        if not uri or len(client.uris) >= SUBSCRIPTIONS_A_CLIENT:
            limit = f"A connection has at most {SUBSCRIPTIONS_A_CLIENT} subscriptions, each to a URI."
            raise MCPError(INVALID_PARAMS, limit)
        client.uris.add(uri)
        await ctx.lifespan_context.listen_to_events()
        return {}

    async def _listen(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        if _streamed_uris(ctx):
            await ctx.lifespan_context.listen_to_events()
        return await call_next(ctx)

    @contextmanager
    def _stream(self, uris: Iterable[str]) -> Generator[None]:
        """Remember what a stream wants for as long as it is open."""
        own = Counter(set(uris))
        self._streamed += own
        try:
            yield
        finally:
            self._streamed -= own


def _offer(answer: HandlerResult) -> HandlerResult:
    """Say in the handshake that resources can be subscribed to, and that lists tell when they change."""
    if not isinstance(answer, dict):
        return answer
    capabilities = cast("dict[str, dict[str, object]]", answer.get("capabilities") or {})
    offered = {name: capabilities.get(name, {}) | said for name, said in OFFERED.items()}
    return answer | {"capabilities": capabilities | offered}


def _streamed_uris(ctx: Context) -> list[str]:
    wanted = cast("dict[str, Any]", (ctx.params or {}).get("notifications") or {})
    return [str(uri) for uri in cast("list[object]", wanted.get("resourceSubscriptions") or [])]

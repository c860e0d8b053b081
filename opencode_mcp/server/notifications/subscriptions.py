"""Subscriptions to changes of resources and lists, in both eras of MCP.

A client of the 2026-07-28 era listens on a stream that the SDK serves from a bus (``subscriptions/listen``). A client
of the 2025 era subscribes to single resources. The SDK does not implement that, so the middleware here answers the
request and remembers the connection. ``publisher.py`` decides what changed, and when.
"""

import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVarTuple, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from opencode_mcp.errors import BridgeError, InvalidArgument, NotAllowed
from opencode_mcp.server.notifications.notification_queue import Outbox
from opencode_mcp.server.results.host_settings import SettingsOwner
from opencode_mcp.server.results.render import explain
from opencode_mcp.server.sdk_private import call_at_disconnect, connection_state
from opencode_mcp.server.uris import directory_in, session_in

if TYPE_CHECKING:
    from opencode_mcp.server.access.fence import Fence
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

OUTBOX = "opencode_mcp.outbox"
"""Key of a connection's outbox in the data that the SDK keeps for the connection."""
SUBSCRIPTIONS_A_CLIENT = 1000
LONGEST_URI = 8192
"""Characters of a URI. Ours are shorter, and each event is compared with all that are kept."""
OFFERED = {"resources": {"subscribe": True, "listChanged": True}, "prompts": {"listChanged": True}}
"""Capabilities to add to the handshake of the 2025 era, since the SDK does not declare them."""

SpawnArguments = TypeVarTuple("SpawnArguments")


class EventSource(Protocol):
    """Part of the bridge that subscriptions need."""

    @property
    def fence(self) -> "Fence":
        """Return the check for directories and sessions that callers name."""
        ...

    @property
    def settings(self) -> "Settings":
        """Return the settings of the bridge."""
        ...

    def spawn(
        self, work: Callable[[*SpawnArguments], Coroutine[Any, Any, object]], *arguments: *SpawnArguments
    ) -> None:
        """Start a task that outlives the request."""
        ...

    def follow_events(self) -> None:
        """Start to receive OpenCode's events, if OpenCode is in use; wait for nothing."""
        ...

    async def listen_to_events(self) -> None:
        """Receive OpenCode's events, as far as it can be reached."""
        ...


EventContext: TypeAlias = "ServerRequestContext[EventSource, Any]"


class CountingBus(InMemorySubscriptionBus):
    """The SDK's bus, with a count of its listeners."""

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


class Subscriptions:
    """Subscribers of one server."""

    def __init__(self) -> None:
        self.bus = CountingBus()
        self._outboxes: set[Outbox] = set()
        self._streamed: Counter[str] = Counter()

    @property
    def anybody(self) -> bool:
        """Return True if there may be a subscriber."""
        return bool(self._outboxes) or self.bus.streams > 0

    def wanted(self) -> set[str]:
        """Return every URI that has a subscriber."""
        return set(self._streamed).union(*(outbox.uris for outbox in self._outboxes))

    async def notify(self, event: ServerEvent) -> None:
        """Notify the subscribers of an event; a client that reads slowly gets it later."""
        await self.bus.publish(event)
        for outbox in self._outboxes:
            outbox.put(event)

    async def middleware(self, ctx: EventContext, call_next: CallNext) -> HandlerResult:
        """Serve the requests that the SDK does not implement, and pass all others on."""
        answer = await self._serve(ctx, call_next)
        if self.anybody:
            # Any request may have been the first that needed OpenCode.
            ctx.lifespan_context.follow_events()
        return answer

    async def _serve(self, ctx: EventContext, call_next: CallNext) -> HandlerResult:
        match ctx.method:
            case "initialize":
                return _offer(await call_next(ctx))
            case "notifications/initialized":
                self._outbox(ctx)
                return await call_next(ctx)
            case "resources/subscribe" | "resources/unsubscribe" if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
                return await self._change(ctx)
            case "subscriptions/listen":
                with self._stream(_streamed_uris(ctx)):
                    return await self._listen(ctx, call_next)
            case _:
                return await call_next(ctx)

    def _outbox(self, ctx: EventContext) -> Outbox:
        """Return the outbox of the connection; the first request that needs it creates it."""
        state = connection_state(ctx.session)
        if OUTBOX not in state:
            outbox = state[OUTBOX] = Outbox(ctx.session)
            self._outboxes.add(outbox)
            ctx.lifespan_context.spawn(self._deliver, state, outbox)
            call_at_disconnect(ctx.session, outbox.close)
        return state[OUTBOX]

    async def _deliver(self, state: dict[str, Any], outbox: Outbox) -> None:
        try:
            await outbox.deliver()
        finally:
            self._outboxes.remove(outbox)
            del state[OUTBOX]

    async def _change(self, ctx: EventContext) -> HandlerResult:
        outbox = self._outbox(ctx)
        uri = str((ctx.params or {}).get("uri") or "")
        if ctx.method == "resources/unsubscribe":
            outbox.unsubscribe(uri)
            return {}
        _check_wanted({*outbox.uris, uri})
        await _refuse_foreign(ctx.lifespan_context, [uri])
        outbox.uris.add(uri)
        await ctx.lifespan_context.listen_to_events()
        return {}

    async def _listen(self, ctx: EventContext, call_next: CallNext) -> HandlerResult:
        _check_wanted(set(self._streamed))
        if uris := _streamed_uris(ctx):
            await _refuse_foreign(ctx.lifespan_context, uris)
            await ctx.lifespan_context.listen_to_events()
        else:
            ctx.lifespan_context.follow_events()
        return await call_next(ctx)

    @contextmanager
    def _stream(self, uris: Iterable[str]) -> Generator[None]:
        """Count the URIs of a stream as subscribed while the block runs."""
        own = Counter(set(uris))
        self._streamed += own
        try:
            yield
        finally:
            self._streamed -= own


def _offer(answer: HandlerResult) -> HandlerResult:
    """Declare in the handshake that clients can subscribe to resources, and that changes of lists are notified."""
    if not isinstance(answer, dict):
        return answer
    capabilities = cast("dict[str, dict[str, object]]", answer.get("capabilities") or {})
    offered = {name: capabilities.get(name, {}) | features for name, features in OFFERED.items()}
    return answer | {"capabilities": capabilities | offered}


def _check_wanted(uris: set[str]) -> None:
    """Refuse too many subscriptions, and URIs that are too long or empty."""
    if len(uris) > SUBSCRIPTIONS_A_CLIENT or not all(0 < len(uri) <= LONGEST_URI for uri in uris):
        limit = f"A connection has at most {SUBSCRIPTIONS_A_CLIENT} subscriptions, each to a URI"
        raise MCPError(INVALID_PARAMS, f"{limit} of at most {LONGEST_URI:,} characters.")


async def _refuse_foreign(source: EventSource, wanted: Iterable[str]) -> None:
    """Refuse URIs of directories that are not allowed, and of sessions that are known to work in such directories.

    If OpenCode cannot be reached now, nothing is refused: events of other directories are not reported in any case.
    """
    try:
        for session_id in {session_in(uri) for uri in wanted} - {""}:
            await source.fence.check_place_of(session_id)
        for directory in {directory_in(uri) for uri in wanted} - {""}:
            await source.fence.place(directory)
    except (NotAllowed, InvalidArgument) as error:
        owner = SettingsOwner(principal=source.settings.principal)
        raise MCPError(INVALID_PARAMS, explain(error, owner=owner)) from error
    except BridgeError as error:
        logger.info("the directories of the resources cannot be checked: %s", error)


def _streamed_uris(ctx: EventContext) -> list[str]:
    """Return the resources that a stream subscribes to; none if they are malformed, which the SDK refuses."""
    wanted: object = (ctx.params or {}).get("notifications")
    uris = cast("Mapping[str, object]", wanted).get("resourceSubscriptions") if isinstance(wanted, Mapping) else None
    return [uri for uri in cast("list[object]", uris) if isinstance(uri, str)] if isinstance(uris, list) else []

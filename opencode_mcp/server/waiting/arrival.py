"""Notes when a request arrived: what a call may take is counted from there, and so is its progress."""

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import BridgeContext

Context = ServerRequestContext[Any, Any]


@dataclass(kw_only=True)
class ArrivedContext(Context):
    """A request with the moment of its arrival."""

    arrived: float
    """In seconds of anyio's clock."""
    with_person: float = 0.0
    """Seconds that a person took for forms until now."""


async def note_arrival(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Middleware, to be put first: note the moment before anything is done for the request."""
    known = {field.name: getattr(ctx, field.name) for field in dataclasses.fields(ctx)}
    return await call_next(ArrivedContext(**known, arrived=anyio.current_time()))


def arrival_of(ctx: "BridgeContext") -> float:
    """When a call arrived, in seconds of anyio's clock; now, where the middleware is not installed."""
    request = ctx.request_context
    return request.arrived if isinstance(request, ArrivedContext) else anyio.current_time()


@contextmanager
def person_asked(ctx: "BridgeContext") -> Generator[None]:
    """Count the time that the block takes as a person's, which no deadline of the call counts."""
    began = anyio.current_time()
    try:
        yield
    finally:
        request = ctx.request_context
        if isinstance(request, ArrivedContext):
            request.with_person += anyio.current_time() - began


def time_with_person(ctx: "BridgeContext") -> float:
    """Seconds that a person took for forms of a call until now."""
    request = ctx.request_context
    return request.with_person if isinstance(request, ArrivedContext) else 0.0

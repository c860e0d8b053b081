"""Context of one MCP request: the SDK's, with the arrival time, the time of a person, and the possible task.

To read ``Context.request_context`` takes seven calls of pydantic, so code that needs it several times reads it once.
"""

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import BridgeContext

McpRequestContext = ServerRequestContext[Any, Any]
"""Context of any request, as the SDK passes it to a handler."""
MODERN_VERSIONS = frozenset(MODERN_PROTOCOL_VERSIONS)
"""Protocol versions of the 2026 era, whose requests need no session."""
FIELDS = tuple(field.name for field in dataclasses.fields(ServerRequestContext))
"""Names of what the SDK knows of a request."""


@dataclass(slots=True)
class TaskSlot:
    """Slot for a run, or for a batch, that a tool did not wait for to the end, so that the call becomes a task."""

    grace_seconds: float
    """Seconds that the tool may wait before it puts the run into the slot."""
    run: "Run | None" = None
    batch: tuple[str, ...] = ()
    """Ids of a batch, or of some of its tasks."""


@dataclass(kw_only=True)
class CallContext(McpRequestContext):
    """Request with its arrival time."""

    arrived: float
    """In seconds of anyio's clock."""
    person_seconds: float = 0.0
    """Seconds that a person has taken for forms so far."""
    task_slot: TaskSlot | None = None
    """Set only while a call may become a task."""


async def add_arrival(ctx: McpRequestContext, call_next: CallNext) -> HandlerResult:
    """Record the arrival time of a request. This middleware must be the first one."""
    known = {name: getattr(ctx, name) for name in FIELDS}
    return await call_next(CallContext(**known, arrived=anyio.current_time()))


def arrival_of(ctx: "BridgeContext") -> float:
    """Return when a call arrived, in seconds of anyio's clock; the present time if the middleware is not installed."""
    request = ctx.request_context
    return request.arrived if isinstance(request, CallContext) else anyio.current_time()


def task_slot_of(ctx: "BridgeContext") -> TaskSlot | None:
    """Return the slot for a call's run; ``None`` if the call cannot become a task."""
    request = ctx.request_context
    return request.task_slot if isinstance(request, CallContext) else None


@contextmanager
def person_asked(ctx: "BridgeContext") -> Generator[None]:
    """Count the time of the block as a person's, which does not count towards any deadline of the call."""
    began = anyio.current_time()
    try:
        yield
    finally:
        request = ctx.request_context
        if isinstance(request, CallContext):
            request.person_seconds += anyio.current_time() - began


def counted_from(request: McpRequestContext) -> float:
    """Return the time from which a call's own seconds count: its arrival, put off by the time of a person so far."""
    return request.arrived + request.person_seconds if isinstance(request, CallContext) else anyio.current_time()

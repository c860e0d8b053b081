"""Deadlines of a call, counted from its arrival: for OpenCode's start, the project's opening and the wait."""

import math
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendTimeout, BridgeError
from opencode_mcp.runs.starting import start_deadline as runs_start_deadline
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.waiting.call_context import arrival_of, counted_from
from opencode_mcp.server.waiting.host_limits import call_seconds_of, wait_seconds_of
from opencode_mcp.server.waiting.progress_notifications import start_progress
from opencode_mcp.server.waiting.token_end import token_end_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from opencode_mcp.runs.starting.start_deadline import StartDeadline

LEAST_START_SECONDS = 20.0
"""Shortest time for a start, since a short ``--wait`` is meant for runs."""
NOTHING_SENT = "Nothing was sent to OpenCode. Wait a moment, then make the same call again."
READ_AGAIN = "Wait a moment, then make the same call again."
NOT_READY = "OpenCode has not been ready within {seconds:.0f} s of this call: it, or the project, is still starting."
BUSY = (
    "OpenCode runs, but has not answered within {seconds:.0f} s of this call: it is busy, or the project is still "
    "starting."
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of one call, in seconds of anyio's clock."""

    start: float
    """Deadline for OpenCode and the project to be ready. A call that misses it ends without any effect."""
    wait: float
    """End of the wait for a run."""
    seconds: float
    """Longest time of the wait for a run."""
    latest: float
    """Time to which the end of the wait can be put off: the end of the caller's access token."""


def deadlines_of(ctx: BridgeContext, wait_seconds: float | None = None) -> Deadlines:
    """Return the deadlines of a call as they are now: the time that a person took for a form does not count.

    Args:
        ctx: The call.
        wait_seconds: Time that its caller wants to wait. A caller that waits long accepts a long start.
    """
    request = ctx.request_context
    seconds = wait_seconds_of(request, wait_seconds)
    start, wait = start_deadline_of(ctx, wait_seconds), counted_from(request) + seconds
    return Deadlines(start=start, wait=wait, seconds=seconds, latest=token_end_of(ctx))


def start_deadline_of(ctx: BridgeContext, wait_seconds: float | None = None) -> float:
    """Return the deadline for OpenCode and the project to be ready, for a call that waits for no run, or not yet."""
    request = ctx.request_context
    return counted_from(request) + max(call_seconds_of(request), wait_seconds or 0, LEAST_START_SECONDS)


@contextmanager
def before_start() -> "Generator[None]":
    """Mark the errors of the block, which checks a call and starts its work, if nothing was started yet."""
    try:
        yield
    except BridgeError as error:
        error.started = error.started or False
        raise


@asynccontextmanager
async def starting(
    ctx: BridgeContext, deadline: float, hint: str = NOTHING_SENT, *, reply_by: float = math.inf
) -> "AsyncGenerator[StartDeadline]":
    """Limit the time of the block, which precedes all that is sent, and send progress while OpenCode starts.

    Args:
        ctx: The call.
        deadline: The end, in seconds of anyio's clock.
        hint: Next step of the caller when the deadline has passed.
        reply_by: Time until which the call waits for OpenCode's reply to a prompt.

    Raises:
        BackendTimeout: The deadline passed. OpenCode continues to start and to open the project.
    """
    start_deadline = runs_start_deadline.StartDeadline(deadline, reply_by)
    with start_progress(ctx), start_deadline.scope:
        try:
            yield start_deadline
        except BridgeError as error:
            if start_deadline.committed:
                error.started = True
            raise
    if start_deadline.expired:
        seconds = anyio.current_time() - arrival_of(ctx)
        text = BUSY if bridge_of(ctx).has_answered else NOT_READY
        raise BackendTimeout(text.format(seconds=seconds), hint=hint)

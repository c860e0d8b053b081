"""Callbacks of a wait for a run: where its progress goes, and who answers its requests."""

from collections.abc import Awaitable, Callable

from opencode_mcp.runs.outcome.run_report import PendingRequest

SendProgress = Callable[[str], Awaitable[None]]
"""Sends one line of progress to the host."""
Respond = Callable[[list[PendingRequest]], Awaitable[list[PendingRequest]]]
"""Answers a run's open requests as far as it can.

Returns the requests that the wait has to end for. An empty list means that the wait goes on, and that the run has to be
read again: something was answered, or a person was asked.
"""


async def no_progress(_line: str) -> None:
    """Send no progress."""


async def leave_open(requests: list[PendingRequest]) -> list[PendingRequest]:
    """Answer nothing."""
    return requests

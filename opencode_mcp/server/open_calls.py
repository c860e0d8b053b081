"""The requests that a server handles: all can be ended at once, except the calls that only wait for a run."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR


@dataclass(slots=True, eq=False)
class _OpenCall:
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    waits: bool = False
    """True once the call has begun what it was made for, and waits for the end of that."""


_current: ContextVar[_OpenCall | None] = ContextVar("_current", default=None)


def note_wait() -> None:
    """Note that the present call waits from now on, and that it begins nothing before it returns."""
    call = _current.get()
    if call is not None:
        call.waits = True


class OpenCalls:
    """The open requests of one server."""

    def __init__(self) -> None:
        self._open: set[_OpenCall] = set()
        self._reason = ""

    async def middleware(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Handle a request until it is ended from outside.

        Raises:
            MCPError: It was ended, or came afterwards.
        """
        if self._reason:
            raise MCPError(INTERNAL_ERROR, self._reason)
        call = _OpenCall()
        token = _current.set(call)
        self._open.add(call)
        try:
            with call.scope:
                return await call_next(ctx)
        finally:
            self._open.discard(call)
            _current.reset(token)
        raise MCPError(INTERNAL_ERROR, self._reason)

    def end_others(self, reason: str) -> None:
        """End every request except those that wait for a run, and refuse every further one.

        Args:
            reason: Sentences for the clients.
        """
        self._reason = reason
        for call in self._open:
            if not call.waits:
                call.scope.cancel()

"""Outcome of a request of MCP, for logs, metrics and traces."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio
from mcp.server.context import HandlerResult
from mcp.shared.exceptions import MCPError

from opencode_mcp.server.access.audit_notes.refused_calls import noted_refusals

PROTOCOL = "protocol"
"""Refuses a request that is wrong in MCP, or names nothing that exists."""


@dataclass(slots=True)
class RequestEnd:
    """End of a request."""

    outcome: str = "failed"
    """``ok``, ``error`` (the tool returned an error), ``refused``, ``cancelled`` or ``failed``.

    A request is refused if its answer is an error of the protocol, or if something does not permit the call.
    """
    refused_by: str = ""
    """The setting, scope or limit that refuses the request, or ``protocol``; empty if nothing does."""
    answer: HandlerResult = None

    def note(self, answer: HandlerResult) -> HandlerResult:
        """Keep the answer to the request, and return it."""
        self.answer = answer
        self.outcome = "error" if _is_error(answer) else "ok"
        return answer


@contextmanager
def request_end(end: RequestEnd) -> Generator[None]:
    """Note how the block ends that serves a request."""
    with noted_refusals() as refusals:
        try:
            yield
        except MCPError:
            _refuse(end, refusals or [PROTOCOL])
            raise
        except anyio.get_cancelled_exc_class():
            end.outcome = "cancelled"
            raise
        if refusals:
            _refuse(end, refusals)


def _refuse(end: RequestEnd, reasons: Iterable[str]) -> None:
    end.outcome, end.refused_by = "refused", ", ".join(dict.fromkeys(reasons))


def _is_error(answer: HandlerResult) -> bool:
    if isinstance(answer, dict):
        return bool(cast("Mapping[str, Any]", answer).get("isError"))
    return bool(getattr(answer, "is_error", False))

"""Names of requests that logs and metrics may show: those of a fixed list, whatever a client has written."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mcp_types.methods import SPEC_CLIENT_METHODS, SPEC_CLIENT_NOTIFICATION_METHODS

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

METHODS = SPEC_CLIENT_METHODS | SPEC_CLIENT_NOTIFICATION_METHODS | {"tasks/get", "tasks/update", "tasks/cancel"}
CALL = "tools/call"
OTHER = "other"


def known_method(ctx: "ServerRequestContext[Any, Any]") -> str:
    """Return the method of a request, or ``other``."""
    return ctx.method if ctx.method in METHODS else OTHER


def known_tool(ctx: "ServerRequestContext[Any, Any]", listed: Collection[str]) -> str:
    """Return the tool that a request calls, or ``other``; empty if it calls none."""
    if ctx.method != CALL:
        return ""
    name = (ctx.params or {}).get("name")
    return name if isinstance(name, str) and name in listed else OTHER

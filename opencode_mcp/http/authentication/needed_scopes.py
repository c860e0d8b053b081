"""Scopes that a call needs and its access token lacks, so that the client can ask the issuer for them.

The headers of the 2026 era name the tool of a call. A call of the 2025 era has no such headers, and gets an error with
the scopes as its result.
"""

from typing import TYPE_CHECKING

from opencode_mcp.server.access.missing_scopes import missing_scopes

if TYPE_CHECKING:
    from starlette.types import Scope

    from opencode_mcp.settings import Settings

CALL = (b"mcp-method", b"tools/call")
NAME = b"mcp-name"


def lacking_scopes(scope: "Scope", settings: "Settings") -> tuple[str, ...]:
    """Return the scopes that a request needs besides those of its token."""
    if not settings.missing_scopes or CALL not in scope["headers"]:
        return ()
    return missing_scopes(tool_named(scope), settings)


def tool_named(scope: "Scope") -> str:
    """Return the tool that the headers of a call name; empty if they name none."""
    return dict(scope["headers"]).get(NAME, b"").decode("latin-1")

"""Scopes that a call needs and its access token lacks, so that the client can ask the issuer for them.

The headers of the 2026 era name the tool of a call. A call of the 2025 era has no such headers, and gets the error of a
tool that does not exist.
"""

from typing import TYPE_CHECKING

from opencode_mcp.server.access.operation_uses import TOOL_USES, WRITE_BY_THEMSELVES
from opencode_mcp.server.access.setting_names import GENERATIONS, annotations_of

if TYPE_CHECKING:
    from starlette.types import Scope

    from opencode_mcp.config import Settings
    from opencode_mcp.opencode.tables.annotation_types import Effect

CALL = (b"mcp-method", b"tools/call")
NAME = b"mcp-name"
WRITE: "frozenset[Effect]" = frozenset({"write"})


def lacking_scopes(scope: "Scope", settings: "Settings") -> tuple[str, ...]:
    """Return the scopes that a request needs besides those of its token, in the order of their effects."""
    if not settings.missing_scopes or CALL not in scope["headers"]:
        return ()
    effects = _effects_of(dict(scope["headers"]).get(NAME, b"").decode("latin-1"))
    lacking = [name for effect, name in settings.missing_scopes.items() if effect in effects and name]
    return tuple(dict.fromkeys(lacking))


def _effects_of(tool: str) -> "frozenset[Effect]":
    """Return the effects of a tool of our own. Without write, a token permits none that has an effect but read."""
    uses = TOOL_USES.get(tool)
    if uses is None:
        return frozenset()
    known = [annotations_of(one).get(name) for one in GENERATIONS for name in uses[one]]
    effects: frozenset[Effect] = frozenset(one.effect for one in known if one)
    changes = tool in WRITE_BY_THEMSELVES or not effects <= {"read"}
    return effects | WRITE if changes else effects

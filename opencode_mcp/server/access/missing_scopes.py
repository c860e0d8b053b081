"""Scopes that a tool needs and the access token of the client lacks."""

from typing import TYPE_CHECKING

from opencode_mcp.server.access.operations_of_tools import TOOL_USES, WRITE_BY_THEMSELVES
from opencode_mcp.server.access.setting_names import GENERATIONS, annotations_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Effect
    from opencode_mcp.settings import Settings

WRITE: "frozenset[Effect]" = frozenset({"write"})
CHANGING_TOOLS = WRITE_BY_THEMSELVES | {"opencode_call_operation"}
"""Tools that change something, although the table names no operation of theirs."""


def missing_scopes(tool: str, settings: "Settings") -> tuple[str, ...]:
    """Return the scopes with which a tool could be called, in the order of their effects."""
    if not settings.missing_scopes:
        return ()
    effects = _effects_of(tool)
    names = [name for effect, name in settings.missing_scopes.items() if effect in effects and name]
    return tuple(dict.fromkeys(names))


def scope_of(effect: "Effect", settings: "Settings") -> str:
    """Return the scope that an operation of this effect needs and the token lacks; empty if it lacks none.

    Without write, a token permits nothing but to read.
    """
    scopes = settings.missing_scopes
    return scopes.get(effect) or (scopes.get("write", "") if effect != "read" else "")


def _effects_of(tool: str) -> "frozenset[Effect]":
    """Return the effects of a tool of our own. Without write, a token permits none that has an effect but read."""
    uses = TOOL_USES.get(tool)
    if uses is None:
        return frozenset()
    known = [annotations_of(one).get(name) for one in GENERATIONS for name in uses[one]]
    effects: frozenset[Effect] = frozenset(one.effect for one in known if one)
    changes = tool in CHANGING_TOOLS or not effects <= {"read"}
    return effects | WRITE if changes else effects

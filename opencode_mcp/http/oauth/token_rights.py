"""Rights of an access token: its scopes permit effects, and narrow what its principal may do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opencode_mcp.http.oauth.oauth_settings import EFFECTS, Scopes
from opencode_mcp.server.access.setting_names import GENERATIONS, annotations_of
from opencode_mcp.text.json_values import as_list, as_text

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Effect
    from opencode_mcp.settings import Settings

USUAL_EFFECTS: "frozenset[Effect]" = frozenset({"read", "write", "execute"})
SCOPE_CLAIMS = ("scope", "scp")
"""Claims that may have the scopes: the one of RFC 9068, and one that some issuers use."""


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a token, which are a text with spaces or a list."""
    return frozenset(scope for name in SCOPE_CLAIMS for scope in _split(claims.get(name)))


def _split(value: object) -> Iterator[str]:
    for text in [value, *as_list(value)]:
        # Other blanks are no separators (RFC 6749, 3.3).
        yield from filter(None, as_text(text).split(" "))


def effects_of(granted: Iterable[str], scopes: Scopes) -> "frozenset[Effect]":
    """Return the effects that scopes permit; a scope that is not in the settings permits none."""
    none: frozenset[Effect] = frozenset()
    return none.union(*(scopes.get(scope, none) for scope in granted))


def usual_scopes(scopes: Scopes) -> tuple[str, ...]:
    """Return the scopes that a client needs for its work: those that permit to change OpenCode's configuration not."""
    usual = tuple(name for name, permitted in scopes.items() if permitted <= USUAL_EFFECTS)
    return usual or (scope_for("read", scopes),)


def scope_for(effect: "Effect", scopes: Scopes) -> str:
    """Return the scope that permits an effect, and the least besides; empty if none does."""
    fitting = [name for name, permitted in scopes.items() if effect in permitted]
    return min(fitting, key=lambda name: len(scopes[name]), default="")


def restricted(settings: "Settings", effects: "frozenset[Effect]", scopes: Scopes) -> "Settings":
    """Return the settings of a principal, as far as the effects of a token permit.

    What runs something needs no entry of ``allow`` in our own tools, so it is denied. What changes OpenCode's
    configuration always needs one.
    """
    missing = EFFECTS - effects
    if not missing:
        return settings
    denied = ("execute",) if "execute" in missing and "execute" not in settings.deny else ()
    return replace(
        settings,
        read_only=settings.read_only or "write" in missing,
        allow=tuple(name for name in settings.allow if missing.isdisjoint(_effects_named(name))),
        deny=(*settings.deny, *denied),
        missing_scopes={effect: scope_for(effect, scopes) for effect in sorted(missing & _possible(settings))},
    )


def _possible(settings: "Settings") -> "frozenset[Effect]":
    """Return the effects that a principal may have, apart from single operations."""
    if settings.read_only:
        return frozenset({"read"})
    allowed = {"read", "write", "execute"}.union(*map(_effects_named, settings.allow))
    return EFFECTS & (allowed - set(settings.deny))


def _effects_named(name: str) -> "frozenset[Effect]":
    """Return the effects that an entry of ``allow`` allows: itself, or those of the operation that it names."""
    found = [annotations_of(generation).get(name) for generation in GENERATIONS]
    return frozenset(one.effect for one in found if one) or EFFECTS.intersection({name})

"""Settings of the bridge that decide what a caller may do, as the flags that set them."""

from dataclasses import fields
from typing import TYPE_CHECKING, cast

from opencode_mcp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_SETTINGS = (
    *("permissions", "read_only", "allow", "deny", "toolsets"),
    *("max_cost", "max_minutes", "max_steps", "max_runs", "max_cost_a_day", "runs_at_once"),
)
"""Names of the settings that are shown if they have been set; none of them is secret."""
ALWAYS = frozenset({"permissions"})
"""Names of those that are also shown with their default."""
DEFAULTS = {field.name: field.default for field in fields(Settings) if field.name in SHOWN_SETTINGS}


def flags_of(settings: Settings) -> list[str]:
    """Return the settings that limit a caller, as flags; the kinds of request with a rule are named without it."""
    shown = [_flag(name, getattr(settings, name)) for name in SHOWN_SETTINGS if _is_shown(settings, name)]
    ruled = ", ".join(sorted(settings.permission_rules))
    return [*shown, *([f"permission_rules for {ruled}"] if ruled else [])]


def _is_shown(settings: Settings, name: str) -> bool:
    return name in ALWAYS or getattr(settings, name) != DEFAULTS[name]


def _flag(name: str, value: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {_text(value)}"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, cast("Iterable[object]", value)))
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Reasons for which the call that is being served is refused, for the audit log: a setting, a scope or a limit."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opencode_mcp.errors import LimitReached, NotAllowed
from opencode_mcp.server.access.missing_scopes import missing_scopes
from opencode_mcp.server.access.operations_of_tools import TOOL_USES

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

OTHER_SETTINGS = "settings"
_noted: ContextVar[list[str] | None] = ContextVar("_noted", default=None)


@contextmanager
def noted_refusals() -> Generator[list[str]]:
    """Yield a list that gets what refuses a call of the block; a block inside of another one has the same list."""
    outer = _noted.get()
    noted: list[str] = [] if outer is None else outer
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_refusal(reason: str) -> None:
    """Note what refuses the present call; empty: nothing does."""
    noted = _noted.get()
    if noted is not None and reason:
        noted.append(reason)


def reason_of(error: BaseException | None) -> str:
    """Return what is behind the error of a call; empty if it is no refusal."""
    if not isinstance(error, NotAllowed):
        return ""
    if isinstance(error, LimitReached):
        return "limit"
    if error.scope:
        return f"scope {error.scope}"
    if error.change is None:
        return OTHER_SETTINGS
    change = error.change
    return change.flags if change.removes else f"no {change.missing or change.flags}"


def reason_of_unlisted(tool: str, settings: "Settings") -> str:
    """Return what keeps a tool from being listed; empty if there is no such tool."""
    if tool not in TOOL_USES:
        return ""
    if scopes := missing_scopes(tool, settings):
        return f"scope {' '.join(scopes)}"
    return "--read-only" if settings.read_only else OTHER_SETTINGS

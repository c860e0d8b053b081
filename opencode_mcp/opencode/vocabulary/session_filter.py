"""Selection of sessions, and pages of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Page of a list, and the cursor of the next page; the cursor is empty at the end."""

    items: list[T]
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Selection of sessions, the latest changed first."""

    search: str = ""
    """Part of the title; empty for all."""
    roots: bool = False
    """True leaves out the sessions of subagents."""
    archived: bool = False
    """True adds the sessions that are archived."""
    since: float = 0
    """Sessions that changed at this time or later, in milliseconds since the epoch; 0 for all."""
    before: float = 0
    """Sessions that changed before this time, in milliseconds since the epoch; 0 for all."""
    limit: int = 100
    any_order: bool = False
    """True if the order does not matter, which saves OpenCode 2 from reading the whole list."""

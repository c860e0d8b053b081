"""Hints of a tool for its host, without those that say what a host assumes anyway, since every listing contains them.

MCP, "Tool annotations": without hints, a tool changes something, may destroy, may not be repeated, and reaches the
outside; for a tool that only reads, whether it may be repeated has no meaning. The two hints that hosts decide by, when
they ask a person to approve a call, are always there: not every host knows the meaning of a missing one.
"""

from mcp_types import ToolAnnotations


def hints_of(*, read_only: bool, destructive: bool, idempotent: bool, open_world: bool) -> ToolAnnotations:
    """Return the hints of a tool, with ``None`` for each that has its default or no meaning."""
    return ToolAnnotations(
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=True if idempotent and not read_only else None,
        open_world_hint=None if open_world else False,
    )

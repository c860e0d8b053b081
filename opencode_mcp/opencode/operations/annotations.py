"""Annotations of the operations of OpenCode 1, and the types of their fields."""

from opencode_mcp.opencode.annotation import Effect, Group
from opencode_mcp.opencode.v1.annotations import ANNOTATIONS

__all__ = ["ANNOTATIONS", "Effect", "Group"]

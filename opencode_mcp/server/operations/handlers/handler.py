"""Request and result of one call of an operation, and the handler that performs it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.text.json_types import Schema

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One call of an operation, after its arguments were checked."""

    ctx: BridgeContext
    operation: Operation
    call: "SplitArguments"
    own: Mapping[str, Any]
    """The bridge's own arguments that were given."""

    @property
    def bridge(self) -> Bridge:
        """Return the bridge that serves the request."""
        return bridge_of(self.ctx)

    def with_call(self, call: "SplitArguments") -> "OperationRequest":
        """Copy the request with another call to send."""
        return replace(self, call=call)


@dataclass(slots=True)
class OperationResult:
    """Reply to a call, before it becomes a tool's result."""

    value: object
    cursor: str = ""
    notes: list[str] = field(default_factory=list[str])
    """Notes for the reader besides the value, a sentence each."""


Perform = Callable[[OperationRequest], Awaitable[OperationResult]]


@dataclass(frozen=True, slots=True)
class OperationHandler:
    """Function that performs an operation, and the bridge's own arguments for it."""

    perform: Perform
    own: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """Arguments of the bridge's own."""
    hidden: frozenset[str] = frozenset()
    """OpenCode's arguments that the bridge fills in itself."""


MOST_SECONDS = 300
"""Longest wait of a call, in seconds."""


def number(description: str, least: float, most: float, kind: str = "integer") -> Schema:
    """Make the schema of a number between two bounds."""
    return {"type": kind, "minimum": least, "maximum": most, "description": description}


def text(description: str) -> Schema:
    """Make the schema of a text."""
    return {"type": "string", "description": description}


def seconds(default: int) -> Mapping[str, Schema]:
    """Make the schema of the argument that limits how long a call waits."""
    return {"seconds": number(f"How long to wait at most; {default} without it", 0, MOST_SECONDS, "number")}

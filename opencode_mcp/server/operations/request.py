"""What passes between an operation's call and its performer: the request, what came of it, and how special ones go."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from opencode_mcp.opencode.operations.catalog import Operation, Schema
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.operations.arguments import Call


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an operation, admitted."""

    ctx: BridgeContext
    operation: Operation
    call: "Call"
    own: Mapping[str, Any]
    """The bridge's own arguments, those that were given."""

    @property
    def bridge(self) -> Bridge:
        """The parts behind it."""
        return bridge_of(self.ctx)

    def with_call(self, call: "Call") -> "Request":
        """The same request with another call to send."""
        return replace(self, call=call)


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    value: object
    cursor: str = ""
    notes: list[str] = field(default_factory=list[str])
    """What a reader should know beside the value, a sentence each."""


Performer = Callable[[Request], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Special:
    """How an operation is performed that is no plain call."""

    perform: Performer
    own: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """Arguments of the bridge's own."""
    hidden: frozenset[str] = frozenset()
    """OpenCode's arguments that the bridge fills in itself."""


LONGEST = 300
"""Seconds that a call of a special operation may last."""


def number(description: str, least: float, most: float, kind: str = "integer") -> Schema:
    """The schema of a number between two bounds."""
    return {"type": kind, "minimum": least, "maximum": most, "description": description}


def text(description: str) -> Schema:
    """The schema of a text."""
    return {"type": "string", "description": description}


def seconds(default: int) -> Mapping[str, Schema]:
    """The argument that bounds a call."""
    return {"seconds": number(f"How long to wait at most; {default} without it", 0, LONGEST, "number")}

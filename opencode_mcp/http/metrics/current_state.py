"""State of the bridge at the moment at which its metrics are read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.http.gate import Gate, OpenGate
    from opencode_mcp.http.tenant import Tenant
    from opencode_mcp.http.web.web_server import WebServer
    from opencode_mcp.server.shared_connection import Upstream


def _nothing() -> dict[str, int]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentState:
    """Numbers of this moment, and totals since the start."""

    connections: int = 0
    """Open connections of clients."""
    sessions: int = 0
    """Open sessions of MCP, of the 2025 era."""
    waits: int = 0
    """Calls that wait for a run."""
    runs: Mapping[str, int] = field(default_factory=_nothing)
    """Sessions of OpenCode at work, without subagents, by their state."""
    tasks: Mapping[str, int] = field(default_factory=_nothing)
    """Unfinished tasks of batches, by their status."""
    reconnects: int = 0
    """Times that the stream of OpenCode's events was opened again."""
    wrong_tokens: int = 0
    """Tokens that were wrong, or belonged to nobody."""


async def read_state(gate: "Gate | OpenGate", web_server: "WebServer", upstream: "Upstream") -> CurrentState:
    """Return the current state, without a request to OpenCode.

    Raises:
        InvalidSetting: The queue of batches cannot be read.
    """
    tenants = list(gate.tenants)
    return CurrentState(
        connections=web_server.open_connections,
        sessions=sum(tenant.open_sessions for tenant in tenants),
        waits=sum(tenant.open_waits for tenant in tenants),
        runs=upstream.hub.work_by_state() if upstream.has_hub else {},
        tasks=await _tasks(tenants),
        reconnects=upstream.hub.reconnects if upstream.has_hub else 0,
        wrong_tokens=gate.wrong_tokens,
    )


async def _tasks(tenants: "Iterable[Tenant]") -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for tenant in tenants:
        found.update(await tenant.unfinished_tasks())
    return found

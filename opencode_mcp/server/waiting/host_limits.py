"""Limits of known hosts: the time that a call may take, and the part of a result that their model reads.

A call ends some seconds before its host would cancel it. The host with the shortest limit cancels a call after 60 s,
without a message. This limit is assumed for unknown hosts, and for calls without progress. The figures are measured,
except those that are marked as documented by the host.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

    from opencode_mcp.server.bridge import BridgeRequest

UNKNOWN_HOST_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class HostProfile:
    """Known host, recognised by a part of the name that it sends."""

    name: str
    seconds: float
    """Time that a call may take while progress is sent."""
    because: str
    data_alone: bool = False
    """True if its model reads the structured content of a result and not its text."""


HOSTS = (
    HostProfile(
        "claude-code",
        600,
        "accepts a call without progress; it has no limit unless MCP_TOOL_TIMEOUT is set",
        data_alone=True,
    ),
    HostProfile("copilot", 600, "accepts a call of 90 s without progress; its limit is configurable"),
    HostProfile("visual studio code", 600, "does not limit requests (documented)"),
    HostProfile("codex", 240, "cancels a call after 300 s, with or without progress (documented)", data_alone=True),
    HostProfile("qwen", 240, "accepts a call of 90 s without progress"),
    HostProfile("gemini", 540, "cancels a call after 10 min, with or without progress (documented)"),
    # The last one, since a host may add the server's name, which is likely ours, to its own.
    HostProfile("opencode", 600, "cancels a call after 60 s without progress; each notification restarts the time"),
)
# The limits of these hosts do not depend on progress, so calls without it may wait as long.
PROGRESS_INDEPENDENT = frozenset({"claude-code", "copilot", "visual studio code", "codex", "qwen", "gemini"})


def longest_wait(client_name: str, *, gets_progress: bool) -> float:
    """Return the seconds that a call of this host may wait.

    Args:
        client_name: ``clientInfo.name``; empty if the client did not send it.
        gets_progress: Whether the request carries a progress token.
    """
    host = _host(client_name)
    if host is None or not (gets_progress or host.name in PROGRESS_INDEPENDENT):
        return UNKNOWN_HOST_SECONDS
    return host.seconds


def wait_seconds_of(request: "BridgeRequest", asked: float | None) -> float:
    """Return the seconds that a call waits: those that its caller set, or the limit of its host."""
    return call_seconds_of(request) if asked is None else asked


def call_seconds_of(request: "BridgeRequest") -> float:
    """Return the seconds that a call may take: those that the operator set, or the limit of its host."""
    setting = request.lifespan_context.settings.wait
    if setting is not None:
        return setting
    token = request.meta.get("progress_token") if request.meta else None
    return longest_wait(client_name_of(request.session), gets_progress=token is not None)


def reads_data_alone(session: "ServerSession") -> bool:
    """Return True if the model of a connection's host reads the structured content of results and not their text."""
    host = _host(client_name_of(session))
    return host is not None and host.data_alone


def client_name_of(session: "ServerSession") -> str:
    """Return the name that a connection's host sent; empty if it sent none."""
    params = session.client_params
    return params.client_info.name if params else ""


def _host(client_name: str) -> HostProfile | None:
    name = client_name.lower()
    for host in HOSTS:
        if host.name in name:
            return host
    return None

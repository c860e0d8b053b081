"""Limits of known hosts: how long a call may take, and which part of a result their model reads.

How long a call may wait: the weakest host gives up after 60 s and says nothing. The figures are measured, but for those
marked as read in a host's own documentation. A call ends some seconds before its host would give up; a host that is not
known, or that hears no progress, counts as the weakest.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

    from opencode_mcp.server.bridge import BridgeContext

UNKNOWN_HOST_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class HostProfile:
    """One host, told by a part of the name that it gives itself."""

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
        "survives a silent call; no limit of its own unless MCP_TOOL_TIMEOUT is set",
        data_alone=True,
    ),
    HostProfile("copilot", 600, "survives a silent call of 90 s; its limit is configurable"),
    HostProfile("visual studio code", 600, "sets no limit on a request (read)"),
    HostProfile("codex", 240, "gives up after 300 s, whatever the progress (read)", data_alone=True),
    HostProfile("qwen", 240, "survives a silent call of 90 s"),
    HostProfile("gemini", 540, "gives up after 10 min, whatever the progress (read)"),
    # Last: a host may add the server's name, which is likely ours, to its own.
    HostProfile("opencode", 600, "gives up after 60 s, but progress starts its clock again"),
)
# Hosts whose clock does not care for progress may wait without it, too.
PROGRESS_INDEPENDENT = frozenset({"claude-code", "copilot", "visual studio code", "codex", "qwen", "gemini"})


def longest_wait(client_name: str, *, hears_progress: bool) -> float:
    """Return the seconds that a call of this host may wait.

    Args:
        client_name: ``clientInfo.name``; empty where the client did not say.
        hears_progress: Whether the request carries a progress token.
    """
    host = _host(client_name)
    if host is None or not (hears_progress or host.name in PROGRESS_INDEPENDENT):
        return UNKNOWN_HOST_SECONDS
    return host.seconds


def wait_seconds_of(ctx: "BridgeContext", asked: float | None, setting: float | None) -> float:
    """Return the seconds that a call waits: those that it asks for, or the limit of its host."""
    return call_seconds_of(ctx, setting) if asked is None else asked


def call_seconds_of(ctx: "BridgeContext", setting: float | None) -> float:
    """Return the seconds that a call may take: those that the operator set, or the limit of its host."""
    if setting is not None:
        return setting
    session = ctx.session
    meta = ctx.request_context.meta
    token = meta.get("progress_token") if meta else None
    return longest_wait(_name_of(session), hears_progress=token is not None)


def reads_data_alone(session: "ServerSession") -> bool:
    """Return True if the model of a connection's host reads the structured content of results and not their text."""
    host = _host(_name_of(session))
    return host is not None and host.data_alone


def _name_of(session: "ServerSession") -> str:
    params = session.client_params
    return params.client_info.name if params else ""


def _host(client_name: str) -> HostProfile | None:
    name = client_name.lower()
    return next((host for host in HOSTS if host.name in name), None)

"""Where an OpenCode server is, and what opens it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of one running OpenCode server."""

    url: str
    """Base URL without a trailing slash."""
    username: str = "opencode"
    password: str = field(default="", repr=False)
    pid: int | None = None
    """Process id, where the server is one that we started."""

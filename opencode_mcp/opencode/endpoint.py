"""Where an OpenCode server is, and what opens it."""

from dataclasses import dataclass, field

from opencode_mcp.opencode.known_secrets import KNOWN_SECRETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of one running OpenCode server."""

    url: str
    """Base URL without a trailing slash."""
    username: str = "opencode"
    password: str = field(default="", repr=False)
    pid: int | None = None
    """Process id, where the server is one that we started."""

    def __post_init__(self) -> None:
        """Have the password hidden in all that leaves the process: there is no other way to come to one."""
        KNOWN_SECRETS.add(self.password, self.username)

"""Endpoint of an OpenCode server: address and credentials."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS

if TYPE_CHECKING:
    from opencode_mcp.processes.identity import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Address and credentials of one running OpenCode server."""

    url: str
    """Base URL without a trailing slash."""
    username: str = "opencode"
    password: str = field(default="", repr=False)
    process: "Process | None" = None
    """Process of the server, if it is known. If another process listens at the URL, nothing is sent to it."""
    is_service: bool = False
    """True for the person's background service, which no bridge started, and which goes on with its runs after a
    restart."""
    generation: Generation = 1
    """Generation of the server's API. Before the server was asked, it is the one that is asked for first."""

    def __post_init__(self) -> None:
        """Register the password as a secret, so that it is hidden in all output of this process."""
        KNOWN_SECRETS.add(self.password, self.username)

    @property
    def pid(self) -> int | None:
        """Return the id of that process."""
        return self.process.pid if self.process else None

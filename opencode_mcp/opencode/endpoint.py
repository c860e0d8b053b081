"""Where an OpenCode server is, and what opens it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencode_mcp.secrets.known import KNOWN_SECRETS

if TYPE_CHECKING:
    from opencode_mcp.processes.identity import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of one running OpenCode server."""

    url: str
    """Base URL without a trailing slash."""
    username: str = "opencode"
    password: str = field(default="", repr=False)
    process: "Process | None" = None
    """The server's process, where it is one that a bridge started: who else listens at the URL gets nothing sent."""

    def __post_init__(self) -> None:
        """Have the password hidden in all that leaves the process: there is no other way to come to one."""
        KNOWN_SECRETS.add(self.password, self.username)

    @property
    def pid(self) -> int | None:
        """The id of that process."""
        return self.process.pid if self.process else None

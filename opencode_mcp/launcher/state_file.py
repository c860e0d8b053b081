"""What the bridges of one user share on disk, and what it says of the server.

Knows nothing of processes and of HTTP. Whoever reads or writes the record holds the lock.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from opencode_mcp.disk.state_folder import (
    PRIVATE_FOLDER,
    check_kind,
    prepare_folder,
    replace_private,
    shared_key,
    unusable,
)
from opencode_mcp.launcher.provider_environment import fingerprint
from opencode_mcp.opencode.endpoint import Endpoint
from opencode_mcp.processes.identity import Process

if TYPE_CHECKING:
    from opencode_mcp.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """A server that a bridge started."""

    url: str
    """Empty until it has said where it listens."""
    username: str
    password: str = field(repr=False)
    process: Process
    executable: str
    started: float
    """When it was started; seconds since the epoch."""
    version: str = ""
    """OpenCode's version; empty until the server was healthy once."""
    left_busy: bool = False
    """Whether the last bridge left it because a session was working."""

    @property
    def endpoint(self) -> Endpoint:
        """How to reach it."""
        return Endpoint(url=self.url, username=self.username, password=self.password, process=self.process)


RECORD = TypeAdapter(ServerRecord)
SERVERS = "servers"


def files_for(settings: "Settings") -> "StateFiles":
    """The files of the server that this bridge shares with those whose environment means the same to OpenCode.

    Raises:
        InvalidSetting: The state folder cannot be used.
    """
    mark = fingerprint(settings.environment, shared_key(settings.state_directory))
    servers = settings.state_directory / SERVERS
    prepare_folder(servers)
    return StateFiles(servers / mark)


@dataclass(frozen=True, slots=True)
class StateFiles:
    """The files of one server, in a folder of its own in the state folder."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Held by the bridge that looks for, starts or stops the server."""
        return self.directory / "server.lock"

    @property
    def leases(self) -> Path:
        """The folder of the leases."""
        return self.directory / "bridges"

    @property
    def guard(self) -> Path:
        """Held by the server's guard."""
        return self.directory / "guard.lock"

    @property
    def record(self) -> Path:
        """The record of the server."""
        return self.directory / "server.json"

    @property
    def output(self) -> Path:
        """What the server printed."""
        return self.directory / "opencode.log"

    @property
    def answers(self) -> Path:
        """What the server's guard told the bridge that started it."""
        return self.directory / "guard.log"

    def prepare(self) -> None:
        """Make the folders, and check what is in them.

        Raises:
            InvalidSetting: They cannot be made or written, or others could change them.
        """
        prepare_folder(self.directory)
        for path in (self.lock, self.guard, self.record, self.output, self.answers):
            check_kind(path, folder=False)
        check_kind(self.leases, folder=True)
        try:
            self.leases.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise unusable(self.leases, error) from error

    def read_record(self) -> ServerRecord | None:
        """The record; ``None`` where there is none, or none that can be understood.

        Raises:
            InvalidSetting: It cannot be read.
        """
        try:
            return RECORD.validate_json(self.record.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise unusable(self.record, error) from error

    def write_record(self, record: ServerRecord) -> None:
        """Replace the record, at no moment half of it.

        Raises:
            InvalidSetting: It cannot be written.
        """
        try:
            replace_private(self.record, RECORD.dump_json(record, indent=2))
        except OSError as error:
            raise unusable(self.record, error) from error

    def remove_record(self) -> None:
        """Remove the record, if there is one."""
        self.record.unlink(missing_ok=True)

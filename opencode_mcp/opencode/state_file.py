"""What the bridges of one user share on disk, and what it says of the server.

Knows nothing of processes and of HTTP. Whoever reads or writes the record holds the lock.
"""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from opencode_mcp.opencode.endpoint import Endpoint
from opencode_mcp.opencode.processes import Process
from opencode_mcp.opencode.state_folder import PRIVATE_FOLDER, check_kind, prepare_folder, replace_private, unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """A server that a bridge started."""

    url: str
    username: str
    password: str = field(repr=False)
    process: Process
    executable: str
    started: float
    """When it was started; seconds since the epoch."""
    version: str = ""
    """OpenCode's version; empty until the server was healthy once."""

    @property
    def endpoint(self) -> Endpoint:
        """How to reach it."""
        return Endpoint(url=self.url, username=self.username, password=self.password, pid=self.process.pid)


RECORD = TypeAdapter(ServerRecord)


@dataclass(frozen=True, slots=True)
class StateFiles:
    """The files in the state directory."""

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
    def record(self) -> Path:
        """The record of the server."""
        return self.directory / "server.json"

    @property
    def output(self) -> Path:
        """What the server printed."""
        return self.directory / "opencode.log"

    def prepare(self) -> None:
        """Make the folders, and check what is in them.

        Raises:
            InvalidSetting: They cannot be made or written, or others could change them.
        """
        prepare_folder(self.directory)
        for path in (self.lock, self.record, self.output):
            check_kind(path, folder=False)
        check_kind(self.leases, folder=True)
        try:
            self.leases.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise unusable(self.leases, error) from error

    def read_record(self) -> ServerRecord | None:
        """The record; ``None`` where there is none, or none that can be understood."""
        try:
            return RECORD.validate_json(self.record.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

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

"""What the bridges of one user share on disk: who may read it, and what it says of the server.

Knows nothing of processes and of HTTP. Whoever reads or writes the record holds the lock.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.opencode.endpoint import Endpoint
from opencode_mcp.opencode.processes import Process

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


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
        """Make the folders.

        Raises:
            InvalidSetting: They cannot be made or written.
        """
        try:
            self.directory.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self.leases.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        if not os.access(self.leases, os.W_OK):
            raise self._unusable("it cannot be written")

    def _unusable(self, reason: str) -> InvalidSetting:
        message = f"The state directory {self.directory} cannot be used: {reason}."
        return InvalidSetting(message, hint="Choose another with OPENCODE_MCP_STATE.")

    def read_record(self) -> ServerRecord | None:
        """The record; ``None`` where there is none, or none that can be understood."""
        try:
            return RECORD.validate_json(self.record.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_record(self, record: ServerRecord) -> None:
        """Replace the record, at no moment half of it."""
        fresh = self.record.with_suffix(".new")
        with open_private(fresh) as file:
            file.write(RECORD.dump_json(record, indent=2))
        fresh.replace(self.record)

    def remove_record(self) -> None:
        """Remove the record, if there is one."""
        self.record.unlink(missing_ok=True)


def open_private(path: Path) -> IO[bytes]:
    """Open a file for writing, emptied, that only its owner may read."""
    # What is there may belong to a program that still writes to it, or have a wider mode.
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb")

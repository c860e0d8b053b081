"""Files that the bridges of one user share on disk, and the record of their server.

The module knows nothing of processes and HTTP. The caller holds the lock while it reads or writes the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.disk.state_folder import check_kind, prepare_folder, replace_private, shared_key, unusable
from opencode_mcp.launcher.provider_environment import data_fingerprint, fingerprint, fingerprints
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.processes.identity import Process

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """Server that a bridge started."""

    url: str
    """Address of the server; empty until it has printed one."""
    username: str
    password: str = field(repr=False)
    process: Process
    executable: str
    started: float
    """Time of the start, in seconds since the epoch."""
    version: str = ""
    """OpenCode's version; empty until the server was healthy once."""
    generation: Generation = 1
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keyed hashes of the environment variables that count, by name; only of an OpenCode 2."""
    left_busy: bool = False
    """True if the last bridge left the server running because a session was busy."""

    @property
    def endpoint(self) -> Endpoint:
        """Return the endpoint of the server."""
        return Endpoint(
            url=self.url,
            username=self.username,
            password=self.password,
            process=self.process,
            generation=self.generation,
        )


RECORD = TypeAdapter(ServerRecord)
SERVERS = "servers"


def files_for(settings: "Settings", generation: Generation) -> "StateFiles":
    """Return the files of the server that this bridge may share.

    Bridges share an OpenCode 1 if their environments mean the same to it. Of OpenCode 2 there is only one server for
    each data folder: two of them would both work on a prompt.

    Raises:
        InvalidSetting: The state folder cannot be used.
    """
    key = shared_key(settings.state_directory)
    servers = settings.state_directory / SERVERS
    prepare_folder(servers)
    if generation == 1:
        return StateFiles(servers / fingerprint(settings.environment, key))
    return StateFiles(servers / f"{data_fingerprint(settings.environment, key)}-2")


def files_without_executable(settings: "Settings") -> "StateFiles":
    """Return the files of a server that a bridge can share and not start: of OpenCode 2 if it has a record."""
    newest = files_for(settings, 2)
    return newest if newest.record.exists() else files_for(settings, 1)


def variables_of(settings: "Settings", generation: Generation) -> dict[str, str]:
    """Return what the record of a server keeps of its environment; bridges with another one share no OpenCode 1."""
    return {} if generation == 1 else fingerprints(settings.environment, shared_key(settings.state_directory))


@dataclass(frozen=True, slots=True)
class StateFiles:
    """Files of one server, in its own folder inside the state folder."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Path of the lock that a bridge holds while it searches for, starts or stops the server."""
        return self.directory / "server.lock"

    @property
    def leases(self) -> Path:
        """Path of the folder of the leases."""
        return self.directory / "bridges"

    @property
    def guard(self) -> Path:
        """Path of the lock that the server's guard holds."""
        return self.directory / "guard.lock"

    @property
    def record(self) -> Path:
        """Path of the record of the server."""
        return self.directory / "server.json"

    @property
    def output(self) -> Path:
        """Path of the server's output."""
        return self.directory / "opencode.log"

    @property
    def answers(self) -> Path:
        """Path of the guard's answers to the bridge that started it."""
        return self.directory / "guard.log"

    def prepare(self) -> None:
        """Create the folders, and check their contents.

        Raises:
            InvalidSetting: They cannot be created or written, or others could change them.
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
        """Return the record; ``None`` if there is none or it cannot be parsed.

        Raises:
            InvalidSetting: The file cannot be read.
        """
        try:
            return RECORD.validate_json(self.record.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise unusable(self.record, error) from error

    def write_record(self, record: ServerRecord) -> None:
        """Replace the record atomically.

        Raises:
            InvalidSetting: The file cannot be written.
        """
        try:
            replace_private(self.record, RECORD.dump_json(record, indent=2))
        except OSError as error:
            raise unusable(self.record, error) from error

    def remove_record(self) -> None:
        """Remove the record, if it exists."""
        self.record.unlink(missing_ok=True)

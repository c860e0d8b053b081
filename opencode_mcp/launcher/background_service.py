"""The user's own background service of OpenCode 2 (``opencode serve --service``), found by its registration file.

The service writes its address, process and password to a file that only the user can read. The bridge reads the file
only if the operator says so, and never starts or stops the service.
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from pydantic import TypeAdapter, ValidationError

from opencode_mcp.errors import BackendUnavailable, InvalidSetting
from opencode_mcp.launcher.executables.serve_command import HOST, USERNAME_2
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.processes.identity import Process
from opencode_mcp.processes.port_owner import owns
from opencode_mcp.processes.process_table import born

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

NAMES_OF_HOST = frozenset({HOST, "localhost"})
SERVICE_HINT = (
    "Start it with `opencode serve --service`, or leave out --attach: this MCP server then starts one itself."
)
MANUAL_HINT = "Leave out --attach, and name the server with --url and --password."


@dataclass(frozen=True, slots=True)
class Registration:
    """Content of the registration file, as far as the bridge needs it."""

    url: str
    pid: int
    password: str | None = field(default=None, repr=False)
    version: str | None = None


REGISTRATION = TypeAdapter(Registration)


def registration_file(environment: Mapping[str, str]) -> Path:
    """Return the path of the registration file; OpenCode uses the same rule on all systems."""
    home = environment.get("HOME") or environment.get("USERPROFILE") or "~"
    state = environment.get("XDG_STATE_HOME") or Path(home).expanduser() / ".local" / "state"
    return Path(state) / "opencode" / "service.json"


def service_endpoint(settings: "Settings") -> Endpoint:
    """Return the endpoint of the service. Its process must listen there itself, or nothing is sent.

    Raises:
        BackendUnavailable: The service is not registered, or its process has ended.
        InvalidSetting: The file is not a registration, or others could have written it.
    """
    path = registration_file(settings.environment)
    found = _read(path)
    url = _address(found, path)
    process = Process(found.pid, born(found.pid), is_alone=True)
    if not process.born:
        message = f"The background service of OpenCode (process {found.pid}, registered in {path}) does not run."
        raise BackendUnavailable(message, hint=SERVICE_HINT, sent=False)
    return Endpoint(
        url=url,
        username=USERNAME_2,
        password=found.password or "",
        process=process,
        is_service=True,
        generation=2,
    )


def stale_hint(settings: "Settings", endpoint: Endpoint) -> str:
    """Return the next step if the registered process is not an OpenCode that listens at the registered address."""
    path = registration_file(settings.environment)
    named = f"{path} names this address and process {endpoint.pid}, and may be out of date."
    return f"{named} Remove the file, and start the service again with `opencode serve --service`."


def is_registered(settings: "Settings") -> bool:
    """Return True if a background service has registered the address of the operator's URL."""
    path = registration_file(settings.environment)
    try:
        return _address(_read(path), path) == _address(Registration(settings.url, 0), path)
    except (BackendUnavailable, InvalidSetting):
        return False


def running_service(settings: "Settings") -> int | None:
    """Return the process id of the background service if it listens where it is registered; ``None`` otherwise."""
    path = registration_file(settings.environment)
    try:
        found = _read(path)
        port = urlsplit(_address(found, path)).port
    except (BackendUnavailable, InvalidSetting):
        return None
    return found.pid if port and owns(found.pid, port) else None


def _read(path: Path) -> Registration:
    try:
        _check_owner(path)
        return REGISTRATION.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        message = f"No background service of OpenCode is registered: there is no {path}."
        raise BackendUnavailable(message, hint=SERVICE_HINT, sent=False) from error
    except OSError as error:
        raise InvalidSetting(f"{path} cannot be read: {error.strerror}.", hint=MANUAL_HINT) from error
    except ValidationError as error:
        raise InvalidSetting(f"{path} is not a registration of OpenCode's service.", hint=MANUAL_HINT) from error


def _check_owner(path: Path) -> None:
    """Refuse a file that another user could have written: it decides who receives the prompts."""
    if sys.platform == "win32":
        return
    found = path.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        hint = f"Run `chmod 600 {path}`, or remove the file and start the service again."
        raise InvalidSetting(f"{path} could have been written by another user.", hint=hint)


def _address(found: Registration, path: Path) -> str:
    """Return the base URL in the form in which it can be compared, and its owner checked."""
    try:
        parts = urlsplit(found.url.rstrip("/"))
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or parts.hostname not in NAMES_OF_HOST or not port:
        message = f"The address {found.url!r} is not one of a service on this machine ({path})."
        raise InvalidSetting(message, hint=MANUAL_HINT)
    return urlunsplit(("http", f"{HOST}:{port}", "", "", ""))

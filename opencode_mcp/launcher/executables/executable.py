"""Find the ``opencode`` executable.

The operator's setting comes first. Otherwise ``PATH`` and then the folders of OpenCode's installers are searched, and
an OpenCode 2 is preferred to an OpenCode 1. This module knows nothing of servers.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_mcp.errors import OpenCodeNotInstalled
from opencode_mcp.launcher.executables.executable_version import version_of
from opencode_mcp.processes.search_path import search_folders

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.settings import Settings

NEWEST_GENERATION = 2
PROGRAMS = ("opencode", "opencode2")
SUFFIXES = (".exe", ".cmd") if sys.platform == "win32" else ("",)
HOME_FOLDERS = (".opencode/bin", ".local/bin", ".npm-global/bin", ".bun/bin")
SYSTEM_FOLDERS = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin")
INSTALL = (
    "Install it with `npm install -g @opencode/cli` (OpenCode 2) or `npm install -g opencode-ai` (OpenCode 1), other "
    "ways: https://opencode.ai."
)
INSTALL_HINT = f"{INSTALL} Or say where it is with --opencode or OPENCODE_BIN."
NAMED_HINT = f"Name another one with --opencode or OPENCODE_BIN, or none: then it is searched, first on PATH. {INSTALL}"
UNFINISHED_HINT = (
    "Finish it with `node postinstall.mjs` in the folder opencode-ai, or install without --ignore-scripts."
)
# npm's package contains a text of 479 bytes in place of the binary until its post-install script has run.
PLACEHOLDER_MARK = b"postinstall script was not run"
PLACEHOLDER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Executable:
    """Program to start OpenCode with."""

    path: Path
    generation: "Generation"
    version: str = ""
    """Version of the program; empty if it cannot be read."""


def find_executable(settings: "Settings") -> Executable:
    """Find the executable to start OpenCode with: the one that the operator named, else the newest generation.

    Of the executables of one generation, it is the first that is found. This may run programs to read their versions.

    Raises:
        OpenCodeNotInstalled: No executable was found, or the one that the operator named cannot be used.
    """
    if settings.opencode:
        path = _named(Path(settings.opencode).expanduser())
        return Executable(path, *version_of(path, settings))
    first: Executable | None = None
    for path in _usable(settings.environment):
        found = Executable(path, *version_of(path, settings))
        if found.generation == NEWEST_GENERATION:
            return found
        first = first or found
    if first is None:
        raise OpenCodeNotInstalled("OpenCode is not installed: no `opencode` was found.", hint=INSTALL_HINT)
    return first


def _usable(environment: Mapping[str, str]) -> list[Path]:
    """Return the different executables that can be run, in the order of the search.

    Raises:
        OpenCodeNotInstalled: There are only placeholders.
    """
    usable: dict[Path, Path] = {}
    unfinished: Path | None = None
    for path in filter(_is_executable, _candidates(environment)):
        if is_placeholder(path):
            unfinished = unfinished or path
        else:
            usable.setdefault(path.resolve(), path)
    if unfinished and not usable:
        raise _unfinished(unfinished)
    return [*usable.values()]


def is_placeholder(path: Path) -> bool:
    """Return True if the file is the placeholder of npm's package, whose post-install script has not run."""
    return path.stat().st_size < PLACEHOLDER_BYTES and PLACEHOLDER_MARK in path.read_bytes()


def _named(path: Path) -> Path:
    if not path.is_file():
        raise OpenCodeNotInstalled(f"There is no OpenCode executable at {path}.", hint=NAMED_HINT)
    if not _is_executable(path):
        raise OpenCodeNotInstalled(f"{path} is not executable.", hint=NAMED_HINT)
    if is_placeholder(path):
        raise _unfinished(path)
    return path.absolute()


def _unfinished(path: Path) -> OpenCodeNotInstalled:
    return OpenCodeNotInstalled(f"{path} is npm's placeholder: OpenCode's install is unfinished.", hint=UNFINISHED_HINT)


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    for folder in (*search_folders(environment), *_install_folders(environment)):
        for program in PROGRAMS:
            yield from (folder / f"{program}{suffix}" for suffix in SUFFIXES)


def _install_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    if prefix := environment.get("npm_config_prefix"):
        yield Path(prefix) if sys.platform == "win32" else Path(prefix, "bin")
    if roaming := environment.get("APPDATA"):
        yield Path(roaming, "npm")
    if home := environment.get("USERPROFILE" if sys.platform == "win32" else "HOME"):
        yield from (Path(home, folder) for folder in (*HOME_FOLDERS, "scoop/shims"))
    if sys.platform != "win32":
        yield from map(Path, SYSTEM_FOLDERS)


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)

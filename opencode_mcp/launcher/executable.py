"""Find the ``opencode`` executable.

The operator's setting comes first, then ``PATH``, then the folders of OpenCode's installers. This module runs nothing
and knows nothing of servers.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_mcp.errors import OpenCodeNotInstalled

if TYPE_CHECKING:
    from opencode_mcp.config import Settings

NAMES = ("opencode.exe", "opencode.cmd") if sys.platform == "win32" else ("opencode",)
HOME_FOLDERS = (".opencode/bin", ".local/bin", ".npm-global/bin", ".bun/bin")
SYSTEM_FOLDERS = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin")
INSTALL_HINT = (
    "Install it with `npm install -g opencode-ai` (other ways: https://opencode.ai), "
    "or say where it is with --opencode or OPENCODE_BIN."
)
UNFINISHED_HINT = (
    "Finish it with `node postinstall.mjs` in the folder opencode-ai, or install without --ignore-scripts."
)
# npm's package contains a text of 479 bytes in place of the binary until its post-install script has run.
PLACEHOLDER_MARK = b"postinstall script was not run"
PLACEHOLDER_SIZE = 4096


def find_executable(settings: "Settings") -> Path:
    """Find the executable to start OpenCode with.

    Raises:
        OpenCodeNotInstalled: No executable was found, or the one that the operator named cannot be used.
    """
    if settings.opencode:
        return _named(Path(settings.opencode).expanduser())
    present = [path for path in _candidates(settings.environment) if _is_executable(path)]
    for path in present:
        if not is_placeholder(path):
            return path
    if present:
        raise _unfinished(present[0])
    raise OpenCodeNotInstalled("OpenCode is not installed: no `opencode` was found.", hint=INSTALL_HINT)


def is_placeholder(path: Path) -> bool:
    """Return True if the file is the placeholder of npm's package, whose post-install script has not run."""
    return path.stat().st_size < PLACEHOLDER_SIZE and PLACEHOLDER_MARK in path.read_bytes()


def _named(path: Path) -> Path:
    if not path.is_file():
        raise OpenCodeNotInstalled(f"There is no OpenCode executable at {path}.", hint=INSTALL_HINT)
    if not _is_executable(path):
        raise OpenCodeNotInstalled(f"{path} is not executable.", hint=INSTALL_HINT)
    if is_placeholder(path):
        raise _unfinished(path)
    return path.absolute()


def _unfinished(path: Path) -> OpenCodeNotInstalled:
    return OpenCodeNotInstalled(f"{path} is npm's placeholder: OpenCode's install is unfinished.", hint=UNFINISHED_HINT)


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    for folder in (*_search_path(environment), *_install_folders(environment)):
        for name in NAMES:
            yield folder / name


def _search_path(environment: Mapping[str, str]) -> Iterator[Path]:
    # A relative entry would run whatever file of that name a project contains.
    folders = map(Path, environment.get("PATH", "").split(os.pathsep))
    return (folder for folder in folders if folder.is_absolute())


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

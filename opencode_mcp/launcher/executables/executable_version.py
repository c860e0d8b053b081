"""Version of an installed ``opencode``, without running it each time.

Running ``opencode --version`` takes a second or more, so it is the last resort. The package of npm names the version.
For other installations the printed version is kept in the state folder, together with the marks of the file, which
change when the program is replaced. A program without a version counts as generation 1.
"""

import json
import logging
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from opencode_mcp.disk.state_folder import prepare_folder, replace_private
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.opencode.versions import Generation, printed_version

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

CACHE = "executables.json"
MOST_CACHED = 20
VERSION_TIMEOUT_SECONDS = 20.0
PACKAGE = "package.json"
PACKAGE_LEVELS = 3
"""Folders above an executable that may contain the description of its package."""
PACKAGE_NAME = re.compile(r"opencode-ai|opencode-(linux|darwin|windows)-.*|@opencode(-ai)?/(cli|opencode).*")
"""Names of the packages that contain the executable, of both generations."""


def version_of(path: Path, settings: "Settings") -> tuple[Generation, str]:
    """Return the generation and the version of an executable; the version is empty if it cannot be read."""
    return printed_version(_packaged(path) or _cached(path, settings))


def forget_versions(settings: "Settings") -> None:
    """Drop the kept versions: behind an unchanged file may be another program, as behind the shim of a manager."""
    with suppress(OSError):
        (settings.state_directory / CACHE).unlink(missing_ok=True)


def printed_line(path: Path, environment: Mapping[str, str], timeout: float = VERSION_TIMEOUT_SECONDS) -> str:
    """Run a program with ``--version`` and return the first line of its output; empty if it cannot be run."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that the operator has installed
            [str(path), "--version"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().split("\n", 1)[0] if done.returncode == 0 else ""


def _packaged(path: Path) -> str:
    """Return the version that the npm package of an executable names; empty if it is not from one."""
    for folder in path.resolve().parents[:PACKAGE_LEVELS]:
        found = _object(folder / PACKAGE)
        if PACKAGE_NAME.fullmatch(str(found.get("name", ""))):
            return str(found.get("version", ""))
    return ""


def _cached(path: Path, settings: "Settings") -> str:
    cache = settings.state_directory / CACHE
    marks = _marks(path)
    known = _object(cache)
    entry = known.get(str(path))
    if isinstance(entry, Mapping) and cast("Mapping[str, object]", entry).get("marks") == marks:
        return str(cast("Mapping[str, object]", entry).get("printed", ""))
    printed = printed_line(path, settings.environment)
    if printed:
        latest = [item for item in known.items() if item[0] != str(path)][1 - MOST_CACHED :]
        _keep(cache, {**dict(latest), str(path): {"marks": marks, "printed": printed}})
    return printed


def _marks(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _keep(cache: Path, known: Mapping[str, object]) -> None:
    try:
        prepare_folder(cache.parent)
        replace_private(cache, json.dumps(known, indent=2).encode())
    except (OSError, InvalidSetting) as error:
        # The launcher reports the state folder if it needs it.
        logger.info("The version of OpenCode cannot be kept: %s", error)


def _object(path: Path) -> Mapping[str, object]:
    """Return the JSON object in a file; empty if there is none."""
    try:
        value: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}

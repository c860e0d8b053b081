"""OpenCode executables that this repository installs for its tests and its demo: versions and locations.

It uses only the standard library, since ``setup.py`` imports it before anything is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

VERSION = "1.18.33"
"""The version that the tests run."""
OLDEST = "1.14.34"
"""The oldest supported version; one test does the main job with it."""
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".opencode"
STAMP = FOLDER / "installed.json"
"""Written when an installation is complete: the version, and the executable that works on this machine."""


def installed() -> Path | None:
    """Return the executable; None if ``scripts/setup.py`` has not installed this version."""
    stamp = _stamp()
    path = FOLDER / stamp.get("binary", "none")
    return path if stamp.get("version") == VERSION and path.is_file() else None


def installed_oldest() -> Path | None:
    """Return the executable of the oldest version; None if ``scripts/setup.py`` has not installed it."""
    stamp = _stamp()
    path = FOLDER / "oldest" / stamp.get("binary", "none")
    return path if stamp.get("oldest") == OLDEST and path.is_file() else None


def record_oldest() -> None:
    """Record that the oldest version is installed, too."""
    STAMP.write_text(json.dumps({**_stamp(), "oldest": OLDEST}), encoding="utf-8")


def _stamp() -> dict[str, str]:
    return json.loads(STAMP.read_text(encoding="utf-8")) if STAMP.is_file() else {}


def record(binary: Path) -> None:
    """Record that the installation is complete, and which executable works."""
    stamp = {"version": VERSION, "binary": binary.relative_to(FOLDER).as_posix()}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")

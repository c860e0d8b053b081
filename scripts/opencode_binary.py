"""The OpenCodes that this repository installs for its own tests and demo: which versions, and where they are.

It uses the standard library alone, since ``setup.py`` reads it before anything is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

VERSION = "1.18.33"
"""The version that the tests run against."""
OLDEST = "1.14.34"
"""The oldest version that the bridge works with; one test does the main job with it."""
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".opencode"
STAMP = FOLDER / "installed.json"
"""Written when an install is complete: the version, and which of the executables works on this machine."""


def installed() -> Path | None:
    """The executable; None where ``scripts/setup.py`` has not installed it, or another version."""
    stamp = _stamp()
    path = FOLDER / stamp.get("binary", "none")
    return path if stamp.get("version") == VERSION and path.is_file() else None


def installed_oldest() -> Path | None:
    """The executable of the oldest version; None where ``scripts/setup.py`` has not installed it."""
    stamp = _stamp()
    path = FOLDER / "oldest" / stamp.get("binary", "none")
    return path if stamp.get("oldest") == OLDEST and path.is_file() else None


def record_oldest() -> None:
    """Note that the oldest version is installed, too."""
    STAMP.write_text(json.dumps({**_stamp(), "oldest": OLDEST}), encoding="utf-8")


def _stamp() -> dict[str, str]:
    return json.loads(STAMP.read_text(encoding="utf-8")) if STAMP.is_file() else {}


def record(binary: Path) -> None:
    """Note that the install is complete and which executable works."""
    stamp = {"version": VERSION, "binary": binary.relative_to(FOLDER).as_posix()}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")

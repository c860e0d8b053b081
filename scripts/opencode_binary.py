"""The OpenCode that this repository installs for its own tests and demo: which version, and where it is.

It uses the standard library alone, since ``setup.py`` reads it before anything is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

VERSION = "1.18.33"
"""The version that the tests are held against."""
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".opencode"
STAMP = FOLDER / "installed.json"
"""Written when an install is complete: the version, and which of the executables works on this machine."""


def installed() -> Path | None:
    """The executable; None where ``scripts/setup.py`` has not put it, or another version."""
    if not STAMP.is_file():
        return None
    stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    path = FOLDER / stamp["binary"]
    return path if stamp["version"] == VERSION and path.is_file() else None


def record(binary: Path) -> None:
    """Note that the install is complete and which executable works."""
    stamp = {"version": VERSION, "binary": binary.relative_to(FOLDER).as_posix()}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")

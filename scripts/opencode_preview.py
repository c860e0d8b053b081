"""The preview of OpenCode 2 that the tests run: its version, its packages, and where it is.

No registry has the released OpenCode 2 for this project's tests. The preview is the nearest engine, and npm has it for
Linux on x64 processors only. It uses the standard library alone, since ``setup.py`` reads it before anything is
installed.
"""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

VERSION = "0.0.0-next-16350"
FOLDER = Path(__file__).resolve().parents[1] / ".opencode" / "preview"
STAMP = FOLDER / "installed.json"
"""Written when an install is complete and checked."""


@dataclass(frozen=True)
class Package:
    """An npm package that carries the engine for one kind of machine."""

    name: str
    integrity: str
    """The digest of its archive, as npm writes it."""

    def spec(self) -> str:
        """The package with its version, as npm takes it."""
        return f"{self.name}@{VERSION}"

    def binary(self) -> Path:
        """The executable in it."""
        return FOLDER / "node_modules" / self.name / "bin" / "opencode2"


PACKAGES = {
    ("linux", "x86_64"): Package(
        "@opencode-ai/cli-linux-x64-baseline",
        "sha512-1Uj4PARr1nEH5s3Bjrpr7krnP9rW7icpvwr0TO9l72H/XkNV2XXcuP553x54D2j7s71LmMbDx6fF/owkzi1K1w==",
    ),
}


def package() -> Package | None:
    """The package for this machine; None where there is none."""
    return PACKAGES.get((sys.platform, platform.machine()))


def installed() -> Path | None:
    """The executable; None where ``scripts/setup.py`` has not installed it, or another version."""
    wanted = package()
    if wanted is None:
        return None
    stamped = STAMP.is_file() and json.loads(STAMP.read_text(encoding="utf-8")) == wanted.spec()
    return wanted.binary() if stamped and wanted.binary().is_file() else None


def is_genuine(wanted: Package) -> bool:
    """Return whether the archive that npm unpacked and checked is the pinned one."""
    lock = json.loads((FOLDER / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
    return lock["packages"][f"node_modules/{wanted.name}"].get("integrity") == wanted.integrity


def record(wanted: Package) -> None:
    """Note that the install is complete."""
    STAMP.write_text(json.dumps(wanted.spec()), encoding="utf-8")

"""Preview of OpenCode 2 for the tests: its version, its packages and its location.

No registry has the released OpenCode 2 for this project's tests. The preview is the nearest engine, and npm has it for
Linux on x64 processors only. The module uses only the standard library, since ``setup.py`` imports it before anything
is installed.
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
"""Written when an installation is complete and checked."""


@dataclass(frozen=True)
class Package:
    """npm package with the engine for one kind of machine."""

    name: str
    integrity: str
    """Digest of its archive, in npm's notation."""

    def spec(self) -> str:
        """Return the package with its version, in npm's notation."""
        return f"{self.name}@{VERSION}"

    def binary(self) -> Path:
        """Return the executable in it."""
        return FOLDER / "node_modules" / self.name / "bin" / "opencode2"


PACKAGES = {
    ("linux", "x86_64"): Package(
        "@opencode-ai/cli-linux-x64-baseline",
        "sha512-1Uj4PARr1nEH5s3Bjrpr7krnP9rW7icpvwr0TO9l72H/XkNV2XXcuP553x54D2j7s71LmMbDx6fF/owkzi1K1w==",
    ),
}


def package() -> Package | None:
    """Return the package for this machine; None if there is none."""
    return PACKAGES.get((sys.platform, platform.machine()))


def installed() -> Path | None:
    """Return the executable; None if ``scripts/setup.py`` has not installed this version."""
    wanted = package()
    if wanted is None:
        return None
    stamped = STAMP.is_file() and json.loads(STAMP.read_text(encoding="utf-8")) == wanted.spec()
    return wanted.binary() if stamped and wanted.binary().is_file() else None


def is_genuine(wanted: Package) -> bool:
    """Return True if the archive that npm unpacked and checked is the pinned one."""
    lock = json.loads((FOLDER / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
    return lock["packages"][f"node_modules/{wanted.name}"].get("integrity") == wanted.integrity


def record(wanted: Package) -> None:
    """Record that the installation is complete."""
    STAMP.write_text(json.dumps(wanted.spec()), encoding="utf-8")

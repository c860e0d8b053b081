"""The conformance suite of the Model Context Protocol that the tests run: which versions, and where they are.

The suite needs a newer Node than most machines have, so one comes with it. It uses the standard library alone, since
``setup.py`` reads it before anything is installed.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

VERSION = "0.2.0-alpha.12"
NODE_VERSION = "22.23.3"
PACKAGE = "@modelcontextprotocol/conformance"
FOLDER = Path(__file__).resolve().parents[1] / ".conformance"
STAMP = FOLDER / "installed.json"
"""Written when an install is complete."""
SUITE = FOLDER / "node_modules" / PACKAGE / "dist" / "index.js"


def node_package() -> str:
    """The npm package that carries Node for this machine."""
    system = {"win32": "win", "darwin": "darwin"}.get(sys.platform, "linux")
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x64"
    prefix = "node-bin" if (system, machine) == ("darwin", "arm64") else "node"
    return f"{prefix}-{system}-{machine}"


def packages() -> list[str]:
    """What npm installs."""
    return [f"{PACKAGE}@{VERSION}", f"{node_package()}@{NODE_VERSION}"]


def node() -> Path:
    """The Node that comes with the suite."""
    return FOLDER / "node_modules" / node_package() / "bin" / ("node.exe" if sys.platform == "win32" else "node")


def command() -> list[str] | None:
    """What starts the suite; None where ``scripts/setup.py`` has not put it, or another version."""
    stamped = STAMP.is_file() and json.loads(STAMP.read_text(encoding="utf-8")) == packages()
    return [str(node()), str(SUITE)] if stamped and node().is_file() and SUITE.is_file() else None


def record() -> None:
    """Note that the install is complete."""
    STAMP.write_text(json.dumps(packages()), encoding="utf-8")

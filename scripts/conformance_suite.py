"""Conformance suite of the Model Context Protocol for the tests: its versions and its location.

The suite needs a newer Node than most machines have, so it is installed with its own. This module uses only the
standard library, since ``setup.py`` imports it before anything is installed.
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
"""Written when an installation is complete."""
SUITE = FOLDER / "node_modules" / PACKAGE / "dist" / "index.js"


def node_package() -> str:
    """Return the npm package with Node for this machine."""
    system = {"win32": "win", "darwin": "darwin"}.get(sys.platform, "linux")
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x64"
    prefix = "node-bin" if (system, machine) == ("darwin", "arm64") else "node"
    return f"{prefix}-{system}-{machine}"


def packages() -> list[str]:
    """Return the packages that npm installs."""
    return [f"{PACKAGE}@{VERSION}", f"{node_package()}@{NODE_VERSION}"]


def node() -> Path:
    """Return the Node that is installed with the suite."""
    return FOLDER / "node_modules" / node_package() / "bin" / ("node.exe" if sys.platform == "win32" else "node")


def command() -> list[str] | None:
    """Return the command that starts the suite; None if ``scripts/setup.py`` has not installed this version."""
    stamped = STAMP.is_file() and json.loads(STAMP.read_text(encoding="utf-8")) == packages()
    return [str(node()), str(SUITE)] if stamped and node().is_file() and SUITE.is_file() else None


def record() -> None:
    """Record that the installation is complete."""
    STAMP.write_text(json.dumps(packages()), encoding="utf-8")

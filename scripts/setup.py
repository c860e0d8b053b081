"""Prepare a fresh clone: a virtual environment in ``.venv``, OpenCode in ``.opencode``, and the tests' tools.

With ``--basics`` it leaves out what only the tests need: further versions of OpenCode and the conformance suite.
Existing parts are kept, so a second run takes no time. The script uses only the standard library, and runs on a Python
older than the project's, if only to print what is missing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import conformance_suite
import opencode_preview
from opencode_binary import FOLDER, OLDEST, ROOT, VERSION, installed, installed_oldest, record, record_oldest

if TYPE_CHECKING:
    from pathlib import Path

OLDEST_PYTHON, TOO_NEW = (3, 11), (3, 15)
WINDOWS = sys.platform == "win32"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
STAMP = VENV / "installed.sha256"
SYSTEM = {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux")
BASICS = "--basics"
ANSWER = 60
"""Seconds within which OpenCode must print its version; Windows and macOS scan a program at its first start."""


class Missing(Exception):
    """A requirement is missing; the text says which and how to get it."""


def main() -> int:
    """Set up, and print in one line what prevents it."""
    os.chdir(ROOT)
    try:
        require("git", "OpenCode needs it to find changed files; get it from git-scm.com")
        if not PYTHON.exists():
            check_python()
            make_venv()
        if not venv_is_current():
            install_project()
        if installed() is None:
            install_opencode()
        if BASICS not in sys.argv[1:]:
            install_for_tests()
    except Missing as missing:
        print(f"setup: {missing}", file=sys.stderr)
        return 1
    return 0


def install_for_tests() -> None:
    """Install what only the tests need."""
    if installed_oldest() is None:
        install_oldest()
    if opencode_preview.installed() is None:
        install_preview()
    if conformance_suite.command() is None:
        install_conformance_suite()


def require(tool: str, remedy: str) -> str:
    """Return the path of a program on PATH, or fail."""
    path = shutil.which(tool)
    if path is None:
        raise Missing(f"{tool} is missing: {remedy}.")
    return path


def check_python() -> None:
    """Fail for a Python that the project does not support, and for one that cannot create virtual environments."""
    if not OLDEST_PYTHON <= sys.version_info[:2] < TOO_NEW:
        found = ".".join(map(str, sys.version_info[:2]))
        remedy = "get one from python.org and name it, as in make setup PYTHON=python3.13"
        raise Missing(f"this is Python {found}, and 3.11 to 3.14 are needed: {remedy}.")
    if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
        raise Missing("this Python cannot create virtual environments; on Debian and Ubuntu: apt install python3-venv.")


def venv_is_current() -> bool:
    """Return True if everything that this ``pyproject.toml`` requires was installed."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == digest()


def digest() -> str:
    """Return a hash of everything that the environment depends on."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def make_venv() -> None:
    """Create the environment, also in place of one whose Python no longer exists."""
    print("Creating a virtual environment in .venv ...", flush=True)
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "the virtual environment could not be created.")


def install_project() -> None:
    """Install the project with the dependencies of its tests."""
    print("Installing the project and its tools into it ...", flush=True)
    install = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--editable", ".[dev]"]
    run(install, "pip failed; its reason is above. Proxies and mirrors are configured as usual for pip.")
    STAMP.write_text(digest(), encoding="utf-8")


def install_opencode() -> None:
    """Install OpenCode and find the executable that works here: the ordinary ones need a newer processor."""
    print(f"Installing OpenCode {VERSION} into .opencode (about 350 MB) ...", flush=True)
    npm_install(FOLDER, [f"opencode-ai@{VERSION}"])
    working = next((binary for binary in candidates() if reports_version(binary, VERSION)), None)
    if working is None:
        raise Missing(f"none of OpenCode's executables in {FOLDER} runs on this machine; remove that folder and retry.")
    record(working)


def install_oldest() -> None:
    """Install the oldest supported OpenCode, in the build that works here."""
    print(f"Installing OpenCode {OLDEST} into .opencode/oldest (about 140 MB) ...", flush=True)
    binary = installed()
    package = binary.relative_to(FOLDER).parts[1] if binary else ""
    npm_install(FOLDER / "oldest", [f"{package}@{OLDEST}"])
    record_oldest()


def install_preview() -> None:
    """Install the preview of OpenCode 2. Only the tests of version 2 need it, so a failure is only printed."""
    wanted = opencode_preview.package()
    if wanted is None:
        return
    print(f"Installing OpenCode 2 {opencode_preview.VERSION} into .opencode/preview (about 270 MB) ...", flush=True)
    try:
        npm_install(opencode_preview.FOLDER, [wanted.spec()])
        check_preview(wanted)
    except Missing as missing:
        print(f"setup: the tests of OpenCode 2 will fail without its preview: {missing}", file=sys.stderr)
    else:
        opencode_preview.record(wanted)


def check_preview(wanted: opencode_preview.Package) -> None:
    """Fail if the archive is not the pinned one, before anything in it runs, or if the engine does not run here."""
    if not opencode_preview.is_genuine(wanted):
        raise Missing(f"the archive of {wanted.spec()} is not the pinned one.")
    if not reports_version(wanted.binary(), f"opencode2 v{opencode_preview.VERSION}"):
        raise Missing(f"{wanted.binary()} does not run on this machine.")


def install_conformance_suite() -> None:
    """Install the suite for the protocol's tests. Nothing else needs it, so a failure is only printed."""
    print(
        f"Installing the MCP conformance suite {conformance_suite.VERSION} into .conformance (150 MB) ...", flush=True
    )
    try:
        npm_install(conformance_suite.FOLDER, conformance_suite.packages())
    except Missing as missing:
        print(f"setup: the conformance tests will fail without their suite: {missing}", file=sys.stderr)
    else:
        conformance_suite.record()


def npm_install(folder: Path, packages: list[str]) -> None:
    """Install npm packages into their own folder, without their scripts."""
    npm = require("npm", "it installs OpenCode and the conformance suite; get Node.js with npm from nodejs.org")
    folder.mkdir(exist_ok=True)
    install = [npm, "install", "--prefix", str(folder), "--no-save", "--no-package-lock"]
    quiet = ["--omit-lockfile-registry-resolved", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run(
        [*install, *quiet, *packages],
        "npm failed; its reason is above. Proxies and mirrors are configured as usual for npm.",
    )


def candidates() -> list[Path]:
    """Return the executables that npm chose for this system, the ordinary one first."""
    name = "opencode.exe" if WINDOWS else "opencode"
    packages = FOLDER.glob(f"node_modules/opencode-{SYSTEM}-*")
    return [package / "bin" / name for package in sorted(packages, key=lambda package: len(package.name))]


def reports_version(binary: Path, version: str) -> bool:
    """Return True if an executable runs here and prints this version."""
    with tempfile.TemporaryDirectory() as home:
        # It creates its folders in the home directory.
        places = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
        environment = {**os.environ, **places, "XDG_CACHE_HOME": home}
        try:
            done = subprocess.run(  # noqa: S603 - the executable was just installed
                [str(binary), "--version"],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ANSWER,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.stdout.strip() == version


def run(command: list[str], failure: str) -> None:
    """Run a command whose output goes to the terminal."""
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own commands
        raise Missing(failure)


if __name__ == "__main__":
    sys.exit(main())

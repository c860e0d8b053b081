"""Checks of this machine: what is installed, and the paths in the settings.

They use only the standard library, so that they can also report a broken installation, and connect to no server.
"""

import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from opencode_mcp.batch_queue.queue_file import queue_file
from opencode_mcp.batch_queue.rows import queued_elsewhere
from opencode_mcp.batch_queue.scope import scope_of
from opencode_mcp.batch_queue.store import Store
from opencode_mcp.disk import state_folder
from opencode_mcp.doctor.finding import Finding, fail, failure_of, found, warn
from opencode_mcp.errors import BridgeError
from opencode_mcp.isolation import worktree_records as local_records
from opencode_mcp.launcher.executables.executable import INSTALL_HINT, NAMED_HINT, find_executable
from opencode_mcp.launcher.executables.executable_version import printed_line
from opencode_mcp.launcher.provider_environment import counted
from opencode_mcp.opencode.versions import check_version, printed_version
from opencode_mcp.remote_isolation import remote_records
from opencode_mcp.settings import settings_file
from opencode_mcp.text.name_lists import listed
from opencode_mcp.workspace.search.ripgrep_executable import find_ripgrep

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

DISTRIBUTION = "opencode-mcp"
DEPENDENCIES = "dependencies"
SHOWN_WORKTREES = 20
SHOWN_BATCHES = 10
# The first start of a new program is scanned on Windows and macOS.
VERSION_TIMEOUT_SECONDS = 60
GIT_REMEDY = "Install it from git-scm.com: without it, reports cannot name the files that a run changed."
RIPGREP_REMEDY = "Install ripgrep: without it, the text search fails with OpenCode 2, and OpenCode 1 downloads one."


def local_findings(settings: "Settings") -> Iterator[Finding]:
    """Yield the findings of this machine; those of OpenCode's machine only if it is the same."""
    for name, check in CHECKS.items():
        if settings.remote and name in NEEDED_BY_OPENCODE:
            continue
        try:
            finding = check(settings)
        except BridgeError as error:
            finding = failure_of(error)
        yield replace(finding, check=name)


def _python(_settings: "Settings") -> Finding:
    return found(f"{platform.python_version()} ({platform.system()} {platform.machine()})")


def _dependencies(_settings: "Settings") -> Finding:
    try:
        versions = [f"{name} {metadata.version(name)}" for name in _required()]
    except metadata.PackageNotFoundError as error:
        return fail(f"{error.name} is not installed", f"Install {DISTRIBUTION} again, with pip, pipx or uv.")
    return found(", ".join(versions))


def _required() -> list[str]:
    """Return the distributions that the package needs to run, without those of its extras."""
    requirements = metadata.requires(DISTRIBUTION) or []
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements if _holds(line)]


def _holds(requirement: str) -> bool:
    """Return True if a requirement applies to this system and to every use."""
    elsewhere = "sys_platform !=" in requirement and sys.platform in requirement
    return not elsewhere and "extra ==" not in requirement


def _settings_file(settings: "Settings") -> Finding:
    path = settings_file(settings.environment)
    return found(str(path) if path.is_file() else f"none; it would be {path}")


def _state_folder(settings: "Settings") -> Finding:
    folder = settings.state_directory
    try:
        state_folder.check_folder(folder)
    except FileNotFoundError:
        return found(f"none yet; it will be {folder}")
    except OSError as error:
        raise state_folder.unusable(folder, error) from error
    return found(f"{folder}, which only you can change")


def _environment(settings: "Settings") -> Finding:
    if settings.attached:
        return found("the server's environment counts, not the bridge's")
    names = ", ".join(counted(settings.environment))
    return found(f"bridges share one OpenCode only if these are the same: {names or 'none is set'}")


def _opencode(settings: "Settings") -> Finding:
    if settings.attached:
        return found(f"not needed here: attached to {settings.url or 'the background service of OpenCode'}")
    path = find_executable(settings).path
    generation, version = printed_version(_version(str(path), settings))
    if not version:
        return fail(f"{path} does not run", INSTALL_HINT)
    if " " in version:
        return warn(f"{path} prints no version of OpenCode: {version}", NAMED_HINT)
    check_version(version)
    return found(f"OpenCode {generation}, version {version}, at {path}")


def _git(settings: "Settings") -> Finding:
    path = shutil.which("git", path=settings.environment.get("PATH", ""))
    if path is None:
        return warn("git is not on PATH", GIT_REMEDY)
    return _tool(path, settings, GIT_REMEDY)


def _worktrees(settings: "Settings") -> Finding:
    state = settings.state_directory
    records = remote_records.RemoteRecords(state, settings.url) if settings.remote else local_records.Records(state)
    kept = records.left()
    if not kept:
        return found("no isolated worktree is left")
    named = listed([f"{one.branch} ({one.session_id or 'no session'})" for one in kept], SHOWN_WORKTREES)
    remedy = 'opencode_integrate(session_id=ID or BRANCH, how="discard") drops one, how="branch" keeps its branch.'
    return found(f"{len(kept)} isolated: {named}. {remedy}")


def _batches(settings: "Settings") -> Finding:
    """Look for tasks that no bridge with these settings ever starts."""
    if not queue_file(settings.state_directory).is_file():
        return found("no batch was queued")
    with Store(settings.state_directory).transaction() as connection:
        waiting = queued_elsewhere(connection, scope_of(settings))
    if not waiting:
        return found("no batch waits for a bridge with other settings")
    count = f"{len(waiting)} {'batches wait' if len(waiting) > 1 else 'batch waits'}"
    return found(f"{count} for a bridge with the settings with which it was queued: {listed(waiting, SHOWN_BATCHES)}")


def _ripgrep(settings: "Settings") -> Finding:
    path = find_ripgrep(settings.environment)
    if path is None:
        return warn("rg is not on PATH, nor beside this Python, nor among OpenCode's downloads", RIPGREP_REMEDY)
    return _tool(str(path), settings, RIPGREP_REMEDY)


def _tool(path: str, settings: "Settings", remedy: str) -> Finding:
    version = _version(path, settings)
    return found(f"{version} at {path}") if version else warn(f"{path} does not run", remedy)


def _version(path: str, settings: "Settings") -> str:
    """Return the first line of a program's version output; empty if it cannot be run."""
    return printed_line(Path(path), settings.environment, VERSION_TIMEOUT_SECONDS)


LocalCheck = Callable[["Settings"], Finding]
CHECKS: Mapping[str, LocalCheck] = {
    "Python": _python,
    DEPENDENCIES: _dependencies,
    "settings file": _settings_file,
    "state folder": _state_folder,
    "environment": _environment,
    "OpenCode": _opencode,
    "git": _git,
    "worktrees": _worktrees,
    "batches": _batches,
    "ripgrep": _ripgrep,
}
NEEDED_BY_OPENCODE = frozenset({"git", "ripgrep"})
"""Checks of what is needed on OpenCode's machine."""

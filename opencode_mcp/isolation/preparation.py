"""Preparation of a new worktree as the operator set it: files that git does not carry over, and a command.

Both come from the settings alone. No text of a caller or a model reaches the command.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.isolation.worktrees import Worktree
from opencode_mcp.options import IsolationSetup

COMMAND_SECONDS = 900.0
SHOWN_OUTPUT = 1500
"""Characters of the end of the command's output that an error shows."""


async def prepare(worktree: Worktree, setup: IsolationSetup, environment: Mapping[str, str]) -> None:
    """Copy the files and run the command that the operator set.

    Raises:
        InvalidSetting: A file cannot be copied, or the command failed.
    """
    for name in setup.copy:
        await to_thread.run_sync(_copy, Path(worktree.repository, name), Path(worktree.folder, name))
    if setup.command:
        await _run(setup.command, worktree.directory, environment)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder with its links as links; one that does not exist is left out."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif source.exists() or source.is_symlink():
            shutil.copy2(source, target, follow_symlinks=False)
    except (OSError, shutil.Error) as error:
        raise InvalidSetting(
            f"isolation.copy: {source} cannot be copied into the worktree: {error}.", hint="Correct the settings file."
        ) from error


async def _run(command: str, directory: str, environment: Mapping[str, str]) -> None:
    shell = ["cmd", "/c", command] if sys.platform == "win32" else ["/bin/sh", "-c", command]
    with anyio.move_on_after(COMMAND_SECONDS):
        done = await anyio.run_process(
            shell,
            check=False,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            output = done.stdout.decode(errors="replace").strip()[-SHOWN_OUTPUT:]
            raise InvalidSetting(
                f"isolation.setup failed with exit code {done.returncode} in the new worktree: {output}",
                hint="Correct the command in the settings file.",
            )
        return
    raise InvalidSetting(
        f"isolation.setup did not end within {COMMAND_SECONDS:.0f} s.", hint="Correct the command in the settings file."
    )

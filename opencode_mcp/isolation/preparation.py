"""Preparation of a new worktree as the operator set it: files that git does not carry over, and a command.

Both come from the settings alone. No text of a caller or a model reaches the command.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.options import IsolationSetup, without_credentials
from opencode_mcp.processes.shell_line import run_shell_line

COMMAND_SECONDS = 900.0
SET_UP = "setup"
"""Name of the command, in place of that of a verification."""
OUTPUT_CHARACTERS = 1500
"""Characters of the end of the command's output that an error shows."""
CORRECT = "Correct the settings file of this MCP server."


async def prepare(
    worktrees: Worktrees, worktree: Worktree, setup: IsolationSetup, environment: Mapping[str, str], within: float
) -> None:
    """Copy the files and run the command that the operator set; what it adds or changes is no part of the work.

    Args:
        worktrees: Knows git, and records these files.
        worktree: The worktree.
        setup: The operator's settings.
        environment: Variables of the bridge; the command does not get the passwords among them.
        within: Seconds that the command may take, if they are fewer than ``COMMAND_SECONDS``.

    Raises:
        InvalidSetting: A file cannot be copied or would become a part of the work, or the command failed.
        GitFailed: Git cannot read the worktree.
    """
    git = await worktrees.git(worktree.files)
    for name in setup.copy:
        await to_thread.run_sync(_copy, Path(worktree.repository, name), Path(worktree.folder, name), worktree.folder)
        await _check_ignored(git, name)
    if setup.command:
        left = LeftFiles(worktrees, SET_UP, is_setup=True)
        await left.begin(worktree.directory)
        await _run(setup.command, worktree.directory, without_credentials(environment), min(within, COMMAND_SECONDS))
        await left.end(worktree.directory)


def _copy(source: Path, target: Path, folder: str) -> None:
    """Copy a file or a folder with its links as links; one that does not exist is left out."""
    if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(folder)) or target.is_symlink():
        raise InvalidSetting(f"isolation.copy: {target} leads out of the worktree through a link.", hint=CORRECT)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif source.exists() or source.is_symlink():
            shutil.copy2(source, target, follow_symlinks=False)
    except (OSError, shutil.Error) as error:
        raise InvalidSetting(
            f"isolation.copy: {source} cannot be copied into the worktree: {error}.", hint=CORRECT
        ) from error


async def _check_ignored(git: Git, name: str) -> None:
    """Refuse a copy that would be brought back, and perhaps committed, as work of the run."""
    if not await anyio.Path(git.work_tree / name).exists():
        return
    untracked = await git.paths("ls-files", "--others", "--exclude-standard", "-z", "--", f":(literal){name}")
    if untracked:
        raise InvalidSetting(
            f"isolation.copy: git does not ignore {untracked[0]}, so it would be brought back as work of the run.",
            hint="Name it in .gitignore or in .git/info/exclude of the repository.",
        )


async def _run(command: str, directory: str, environment: Mapping[str, str], within: float) -> None:
    done = await run_shell_line(command, directory, environment, within)
    if done.code is None:
        raise InvalidSetting(
            f"isolation.setup did not end within the {within:.0f} s that this call had; its worktree is removed.",
            hint="Give the call more time with wait_seconds, or make the command faster, for example by "
            "isolation.copy.",
        )
    if done.code:
        raise InvalidSetting(
            f"isolation.setup failed with exit code {done.code} in the new worktree: "
            f"{done.output[-OUTPUT_CHARACTERS:]}",
            hint="Correct the command in the settings file.",
        )

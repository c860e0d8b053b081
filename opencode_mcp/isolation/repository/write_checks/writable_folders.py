"""Check that every folder in which files are to change can be written, before the first file changes."""

import os
from collections.abc import Iterable
from pathlib import Path

from anyio import to_thread

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.trees import TreeChange
from opencode_mcp.text.name_lists import listed

PATHS_SHOWN = 5


async def check_writable(git: Git, coming: list[TreeChange]) -> None:
    """Refuse changes of files in folders that cannot be written: git would stop in the middle of the files.

    Raises:
        GitFailed: There are such files.
    """
    paths = {path for change in coming for path in (change.path, change.old_path) if path}
    found = await to_thread.run_sync(_in_closed_folders, git.work_tree, sorted(paths))
    if found:
        raise GitFailed(
            f"The folders of these files in {git.work_tree} cannot be written: {listed(found, PATHS_SHOWN)}. "
            "Nothing was changed.",
            hint="Let this MCP server write there and call again, or keep the work on its branch with how=branch.",
        )


def _in_closed_folders(top: Path, paths: Iterable[str]) -> list[str]:
    closed: dict[Path, bool] = {}
    found: list[str] = []
    for path in paths:
        folder = _existing_folder(top, (top / path).parent)
        if folder not in closed:
            closed[folder] = not os.access(folder, os.W_OK | os.X_OK)
        if closed[folder]:
            found.append(path)
    return found


def _existing_folder(top: Path, folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    while folder != top and not folder.is_dir():
        folder = folder.parent
    return folder

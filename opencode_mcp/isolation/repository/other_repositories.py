"""Git repositories inside a folder of another repository: submodules, clones, and what ``git init`` made.

Git keeps only the commit of such a repository, not its files, so their work would be lost when a worktree is removed.
Nothing here runs git in them: their configuration may name programs.
"""

from dataclasses import dataclass, field
from pathlib import Path

import anyio

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.index_flags import path_of
from opencode_mcp.text.name_lists import listed

ENTRY = "160000 "
"""Beginning of the line of a submodule in the list of an index."""
PATHS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OtherRepositories:
    """Repositories inside a folder, as paths below it."""

    submodules: list[str] = field(default_factory=list[str])
    """Those whose commit the index has."""
    new: list[str] = field(default_factory=list[str])
    """Others that git does not ignore."""


async def other_repositories(git: Git, index: Path, entries: list[str]) -> OtherRepositories:
    """Return the repositories inside of git's folder.

    Args:
        git: Git for the folder.
        index: Index file to use in place of the checkout's.
        entries: Its entries, as ``ls-files --stage`` prints them.

    Raises:
        GitFailed: Git cannot read the folder.
    """
    submodules = [path_of(entry) for entry in entries if entry.startswith(ENTRY)]
    untracked = await git.paths("ls-files", "--others", "--exclude-standard", "-z", index=index)
    # Git lists a repository as one entry, with a slash, and other folders by their files.
    return OtherRepositories(submodules, [path for path in untracked if path.endswith("/")])


async def repositories_with_files(git: Git, others: OtherRepositories) -> list[str]:
    """Return those of the repositories in git's folder that have files, which git would not keep."""
    filled = [path for path in others.submodules if await _is_filled(git.work_tree / path)]
    return sorted({*others.new, *filled})


async def check_no_other_repositories(git: Git, others: OtherRepositories) -> None:
    """Refuse a worktree in which there is work that git would not bring back.

    Raises:
        InvalidArgument: There are other repositories, or files in the folder of a submodule.
    """
    found = await repositories_with_files(git, others)
    if found:
        raise InvalidArgument(
            f"{git.work_tree} has git repositories of its own inside, whose files git neither brings back nor keeps: "
            f"{listed(found, PATHS_SHOWN)}. Nothing was changed.",
            hint="Have OpenCode move what is needed out of them and remove them in the same session, "
            "or remove their .git to bring their files back as a part of the project. Then call again.",
        )


async def _is_filled(folder: Path) -> bool:
    path = anyio.Path(folder)
    if await path.is_symlink() or not await path.is_dir():
        return False
    async for _ in path.iterdir():
        return True
    return False

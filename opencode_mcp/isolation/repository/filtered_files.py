"""Files that a repository stores through a filter, such as those of Git LFS: git keeps another content than the folder.

No filter runs here, so the content that git keeps must not be written into a person's checkout, and the content of a
folder must not be committed.
"""

from pathlib import Path

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.scratch import scratch_folder
from opencode_mcp.text.name_lists import listed

KEEP_BRANCH = "Keep the work on its branch with how=branch, and merge that branch with your own git."
PATHS_SHOWN = 5


async def filtered_paths(git: Git, paths: list[str], index: Path) -> list[str]:
    """Return the files that are stored through a filter, by the attributes in an index."""
    if not git.filters or not paths:
        return []
    text = "\0".join(paths).encode(errors="surrogateescape")
    printed = await git.run("check-attr", "--cached", "-z", "--stdin", "filter", index=index, text=text)
    fields = printed.decode(errors="surrogateescape").split("\0")
    return [path for path, name in zip(fields[::3], fields[2::3], strict=False) if name in git.filters]


async def check_filters_of(git: Git, tree: str, paths: list[str]) -> None:
    """Refuse files that are stored through a filter by the attributes in a tree; see ``check_filters``."""
    if git.filters and paths:
        with scratch_folder() as folder:
            index = folder / "index"
            await git.run("read-tree", tree, index=index)
            await check_filters(git, index, paths)


async def check_filters(git: Git, index: Path, paths: list[str]) -> None:
    """Refuse to write or commit files that are stored through a filter.

    Args:
        git: Git for the checkout.
        index: Index with the attributes.
        paths: The files.

    Raises:
        InvalidArgument: There are such files.
    """
    found = await filtered_paths(git, paths, index)
    if found:
        raise InvalidArgument(
            "These files are stored through a filter of git, such as Git LFS, which is not run here: "
            f"{listed(found, PATHS_SHOWN)}. Nothing was changed.",
            hint=KEEP_BRANCH,
        )

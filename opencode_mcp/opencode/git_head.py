"""Which branch is checked out, by git's own file: OpenCode 1.18 looks once, when it starts in a project."""

import anyio

BRANCH = "ref: refs/heads/"
ELSEWHERE = "gitdir: "


async def checked_out(directory: str) -> str:
    """The branch of the repository that a directory of this machine is in; empty where there is none, or no branch."""
    place = await anyio.Path(directory).absolute()
    for folder in (place, *place.parents):
        dot_git = folder / ".git"
        if await dot_git.exists():
            return await _branch_of(dot_git)
    return ""


async def _branch_of(dot_git: anyio.Path) -> str:
    try:
        if await dot_git.is_file():
            # A worktree keeps its state where its file says.
            told = (await dot_git.read_text(encoding="utf-8")).strip()
            dot_git = dot_git.parent / told.removeprefix(ELSEWHERE)
        head = (await (dot_git / "HEAD").read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""

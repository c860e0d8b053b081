"""Checks of a person's checkout before changes are brought into it."""

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.isolation.repository.filtered_files import KEEP_BRANCH
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.trees import TreeChange

PATHS_SHOWN = 5


async def checked_head(git: Git) -> str:
    """Return the last commit on the branch that is checked out; a commit elsewhere would be on no branch.

    Raises:
        InvalidArgument: Its HEAD is detached, or its branch has no commit yet.
    """
    code, _, _ = await git.attempt("symbolic-ref", "--quiet", "HEAD")
    if code:
        raise InvalidArgument(
            f"{git.work_tree} has no branch checked out (its HEAD is detached), so a commit would be on none.",
            hint="Check out a branch there first, or use how=apply or how=branch.",
        )
    head = await git.commit_of("HEAD")
    if not head:
        raise InvalidArgument(
            f"{git.work_tree} has no commit yet.", hint="Use how=apply, or commit something there first."
        )
    return head


def check_submodules(changed: list[TreeChange]) -> None:
    """Refuse to change the commit of a submodule in the files of a checkout.

    Raises:
        InvalidArgument: A change does.
    """
    found = [change.path for change in changed if change.is_submodule]
    if found:
        raise InvalidArgument(
            f"The changes replace a submodule: {', '.join(found[:PATHS_SHOWN])}. Nothing was changed.", hint=KEEP_BRANCH
        )

"""Reason why OpenCode treats a directory of this machine as one without git, from git itself."""

import subprocess
from collections.abc import Mapping

import anyio

from opencode_mcp.processes.ending import FLAGS
from opencode_mcp.processes.git_environment import git_environment
from opencode_mcp.processes.search_path import find_git
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace.git_head import checked_out

TIMEOUT_SECONDS = 5.0
QUESTION = ("rev-parse", "--git-dir")
"""Command that reads the configuration and runs nothing of the repository's."""
NO_REPOSITORY = "not a git repository"
OTHER_OWNER = "dubious ownership"
FATAL = "fatal: "
NO_CHANGES = "so OpenCode keeps no changes"


async def why_without_git(directory: str, environment: Mapping[str, str], reread: str) -> str:
    """Return the reason why OpenCode sees no branch in a directory; empty if only no branch is checked out.

    Args:
        directory: Absolute path.
        environment: The environment of OpenCode. Git gets only what it needs of it.
        reread: Sentence on how OpenCode is made to look again.
    """
    place = one_line(directory)
    git = find_git(environment)
    if git is None:
        return f"There is no git on the PATH of this MCP server and of the OpenCode that it starts, {NO_CHANGES}."
    refusal = await _refusal(git, directory, environment)
    if NO_REPOSITORY in refusal:
        return f"{place} is not a git repository, {NO_CHANGES}."
    if OTHER_OWNER in refusal:
        allow = f"git config --global --add safe.directory {place}"
        return f"{place} belongs to another user, so git refuses it, {NO_CHANGES}. If you trust it, run `{allow}`."
    if refusal:
        return f"git cannot use the repository of {place} ({one_line(refusal)}), {NO_CHANGES}."
    if await checked_out(directory):
        return (
            f"OpenCode found no repository when it opened {place}: the repository was created later, or OpenCode "
            f"cannot find git. {reread}"
        )
    return ""


async def _refusal(git: str, directory: str, environment: Mapping[str, str]) -> str:
    """Return git's message if it does not work in a directory; empty if it works or does not answer."""
    command = [git, "-C", directory, *QUESTION]
    with anyio.move_on_after(TIMEOUT_SECONDS):
        try:
            done = await anyio.run_process(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                env=git_environment(environment),
                creationflags=FLAGS,
            )
        except OSError as error:
            return str(error)
        if done.returncode:
            printed = done.stderr.decode(errors="replace").strip().splitlines() or ["it gives no reason"]
            first = next((line for line in printed if line.startswith(FATAL)), printed[0])
            return first.removeprefix(FATAL)
    return ""

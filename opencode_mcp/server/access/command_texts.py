"""Checks for slash commands, whose arguments can make OpenCode attach files and run shell lines.

OpenCode does both without permission, after it has inserted the arguments. A command's own text belongs to the
configuration of the project and the operator, so files and shell lines that it names by itself are allowed in the
project.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed
from opencode_mcp.runs.commands import find_command
from opencode_mcp.workspace.configuration.command_template import expand, mentions, shell_lines, split_words

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.runs.prompting.reload import InstanceReload
    from opencode_mcp.server.access.paths import Fence

HINT = "Name a file of the project, or leave it out."
NO_GIT = "/"
"""OpenCode's name for the root of a project without git."""
SHELL_SIGNS = re.compile(r"[^\w \t.,:/@%+=-]")
"""Characters that can terminate a word of a shell line, or that have a special meaning in it."""
PARTS = re.compile(r"[/\\]")


class CommandTexts:
    """Checks the expanded text of slash commands.

    Args:
        fence: Checks files against the allowed directories.
        client: Lists the commands.
        instance_reload: Makes OpenCode read new commands.
    """

    def __init__(self, fence: "Fence", client: "OpenCodeClient", instance_reload: "InstanceReload") -> None:
        self._fence = fence
        self._client = client
        self._instance_reload = instance_reload

    async def check(self, name: str, arguments: str, directory: str) -> list[str]:
        """Expand a command as OpenCode will, and refuse it if it would attach a file from outside the project.

        Args:
            name: Name of the command, without the slash.
            arguments: Text after the name.
            directory: Directory of the session.

        Returns:
            The shell lines that would run only because of these arguments.

        Raises:
            NotFound: There is no such command.
            NotAllowed: A mentioned file is outside.
            InvalidArgument: The text would be too long.
        """
        template = (await find_command(self._client, directory, name, self._instance_reload)).template
        if not isinstance(template, str):
            return await self._check_unknown(arguments, directory)
        text, own = expand(template, arguments), expand(template, "")
        theirs = set(mentions(own))
        await self._check_mentions([name for name in mentions(text) if name not in theirs], directory)
        await self._check_own([*theirs], directory)
        return [line for line in shell_lines(text) if line not in shell_lines(own)]

    async def _check_unknown(self, arguments: str, directory: str) -> list[str]:
        """Check the arguments of an MCP server's prompt, which may put them after an ``@`` or into a shell line."""
        names, words = mentions(arguments), split_words(arguments)
        for word in words:
            names += mentions(f"@{word}")
        await self._check_mentions(names, directory)
        for word in words:
            _refuse_piece(word)
        return [arguments] if SHELL_SIGNS.search(arguments) else []

    async def _check_mentions(self, names: Sequence[str], directory: str) -> None:
        if not names:
            return
        worktree = (await self._client.path(directory)).worktree
        for name in names:
            _refuse_home(name)
            # OpenCode starts from the project's root, which may be above the session's directory.
            await self._fence.file(directory, str(PurePath(worktree) / name))

    async def _check_own(self, names: Sequence[str], directory: str) -> None:
        """Check the files that the template itself mentions: they may be anywhere in the project's worktree."""
        if not names:
            return
        worktree = (await self._client.path(directory)).worktree
        for name in names:
            _refuse_home(name)
            if worktree != NO_GIT:
                await self._fence.file(worktree, str(PurePath(worktree) / name))
            elif PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                raise NotAllowed(f"The command itself would attach {name!r} from outside of the project.", hint=HINT)


def _refuse_piece(word: str) -> None:
    """Refuse a word that may lead outside when the command joins it with other text, as in ``@{folder}/{name}``."""
    if not word or word.endswith("@") or not {".", ".."}.isdisjoint(PARTS.split(word)):
        raise NotAllowed(
            f"The argument {word!r} could lead outside when the command joins it with other text.",
            hint="Give paths without `.` and `..`, and no empty arguments.",
        )


def _refuse_home(name: str) -> None:
    if name.startswith("~"):
        raise NotAllowed(f"`@{name}` would attach a file from the home directory.", hint=HINT)

"""What the arguments of a slash command make OpenCode do beside telling the model: attach files, run shell lines.

OpenCode does both without asking anybody, with the arguments put in. A command's own text is the project's and the
operator's configuration: what it runs or attaches in the project by itself is theirs to decide.
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

HINT = "Name one of the project, or leave it out."
NO_GIT = "/"
"""What OpenCode says for the root of a project without git."""
SHELL_SIGNS = re.compile(r"[^\w \t.,:/@%+=-]")
"""What could end a word of a shell line, or begin something else in it."""
PARTS = re.compile(r"[/\\]")


class CommandTexts:
    """Checks what slash commands come to.

    Args:
        fence: Where callers may work.
        client: Knows the commands.
        instance_reload: Makes OpenCode read new ones.
    """

    def __init__(self, fence: "Fence", client: "OpenCodeClient", instance_reload: "InstanceReload") -> None:
        self._fence = fence
        self._client = client
        self._instance_reload = instance_reload

    async def check(self, name: str, arguments: str, directory: str) -> list[str]:
        """Expand a command as OpenCode will, and refuse what would attach a file from outside.

        Args:
            name: The command's, without the slash.
            arguments: What stands behind it.
            directory: The session's.

        Returns:
            The shell lines that would run, and would not run without these arguments.

        Raises:
            NotFound: There is no such command.
            NotAllowed: A file that is mentioned is outside.
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
        """A prompt of an MCP server: its words may come to stand behind an ``@``, or in a shell line."""
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
        """What the template mentions by itself may be anywhere in the project, also above the session's directory."""
        if not names:
            return
        worktree = (await self._client.path(directory)).worktree
        for name in names:
            _refuse_home(name)
            if worktree != NO_GIT:
                await self._fence.file(worktree, str(PurePath(worktree) / name))
            elif PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                raise NotAllowed(f"The command itself would attach {name!r}, which is outside.", hint=HINT)


def _refuse_piece(word: str) -> None:
    """Refuse what is inside by itself, and may lead outside with what stands next to it, as in ``@{folder}/{name}``."""
    if not word or word.endswith("@") or not {".", ".."}.isdisjoint(PARTS.split(word)):
        raise NotAllowed(
            f"The argument {word!r} could lead outside with what the command puts next to it.",
            hint="Give paths without `.` and `..`, and leave out what is empty.",
        )


def _refuse_home(name: str) -> None:
    if name.startswith("~"):
        raise NotAllowed(f"`@{name}` would attach a file of the home directory.", hint=HINT)

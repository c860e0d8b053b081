"""Checks for slash commands, which can make OpenCode attach files and run shell lines.

OpenCode does both without permission, after it has inserted the arguments. A command's own text belongs to the
configuration of the project, so it may attach files of the project. The shell lines in it need a ``bash`` permission
like those of an agent: an agent that may edit files can write such a text, and a caller decides when it runs. A shell
line that the arguments add or change is code of the caller's choice, as in ``opencode_shell``.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from anyio import to_thread

from opencode_mcp.errors import NotAllowed
from opencode_mcp.runs.commands import find_command
from opencode_mcp.server.access.execution.shell_lines import quoted
from opencode_mcp.workspace.configuration.command_files import find_templates
from opencode_mcp.workspace.configuration.command_template import expand, mentions, shell_lines, split_words

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.runs.prompting.reload import InstanceReload
    from opencode_mcp.server.access.fence import Fence

HINT = "Name a file of the project, or leave it out."
NO_GIT = "/"
"""OpenCode's name for the root of a project without git."""
BUILT_IN = frozenset({"init", "review"})
"""Commands of OpenCode's own, if no file defines them."""
BUILT_IN_TEMPLATE = "$ARGUMENTS"
"""Template with the same effect: theirs have no shell line and mention no file."""
SHELL_SIGNS = re.compile(r"[^\w \t.,:/@%+=-]")
"""Characters that can terminate a word of a shell line, or that have a special meaning in it."""
PARTS = re.compile(r"[/\\]")


class CommandLines(NamedTuple):
    """Shell lines that a slash command runs."""

    of_text: list[str]
    """Lines of the command's own text, and arguments that may become a part of one."""
    of_caller: list[str]
    """Lines that the arguments add or change."""

    @property
    def all(self) -> list[str]:
        """Return all lines."""
        return [*self.of_text, *self.of_caller]

    @property
    def reason(self) -> str:
        """Return a sentence on the lines of the caller, for an error."""
        return f"These arguments make the command run the shell line {quoted(self.of_caller)}."


class CommandTexts:
    """Checks the expanded text of slash commands.

    Args:
        fence: Checks files against the allowed directories.
        client: Lists the commands.
        instance_reload: Makes OpenCode read new commands.
        remote: Whether OpenCode's files are on another machine.
    """

    def __init__(
        self, fence: "Fence", client: "OpenCodeClient", instance_reload: "InstanceReload", *, remote: bool
    ) -> None:
        self._remote = remote
        self._fence = fence
        self._client = client
        self._instance_reload = instance_reload

    async def check(self, name: str, arguments: str, directory: str) -> CommandLines:
        """Expand a command as OpenCode will, and refuse it if it would attach a file from outside the project.

        Args:
            name: Name of the command, without the slash.
            arguments: Text after the name.
            directory: Directory of the session.

        Returns:
            The shell lines that would run.

        Raises:
            NotFound: There is no such command.
            NotAllowed: A mentioned file is outside.
            InvalidArgument: The text would be too long.
        """
        template = (await find_command(self._client, directory, name, self._instance_reload)).template
        if isinstance(template, str):
            return await self._check_expanded(template, arguments, directory)
        templates = await self._templates(name, directory)
        if not templates:
            return await self._check_unknown(arguments, directory)
        checked = [await self._check_expanded(one, arguments, directory) for one in templates]
        of_text = [line for lines in checked for line in lines.of_text]
        of_caller = [line for lines in checked for line in lines.of_caller]
        return CommandLines(list(dict.fromkeys(of_text)), list(dict.fromkeys(of_caller)))

    async def _templates(self, name: str, directory: str) -> list[str]:
        """Return the templates that a command may have, if OpenCode does not return it; nothing if none is known."""
        sources = await self._client.command_sources(directory)
        if not sources or self._remote:
            return []
        found = await to_thread.run_sync(find_templates, sources, name)
        if not found and name in BUILT_IN:
            return [BUILT_IN_TEMPLATE]
        return found

    async def _check_expanded(self, template: str, arguments: str, directory: str) -> CommandLines:
        """Refuse a command that would attach a file from outside; return its shell lines."""
        in_lines = not (await self._client.features()).mentions_in_worktree
        text, own = expand(template, arguments), expand(template, "")
        theirs = set(mentions(own, in_lines=in_lines))
        added = [name for name in mentions(text, in_lines=in_lines) if name not in theirs]
        await self._check_mentions(added, directory)
        await self._check_own([*theirs], directory)
        lines, known = shell_lines(text), shell_lines(own)
        return CommandLines([line for line in lines if line in known], [line for line in lines if line not in known])

    async def _check_unknown(self, arguments: str, directory: str) -> CommandLines:
        """Check arguments for an unknown template, which may put them after an ``@`` or into a shell line.

        OpenCode returns none for the prompt of an MCP server, and OpenCode 2 none for the command of a plugin. The
        lines that such a text runs are unknown. Arguments with a special character of the shell count as a line of it;
        those with a backtick can add a line of their own.
        """
        names, words = mentions(arguments), split_words(arguments)
        for word in words:
            names += mentions(f"@{word}")
        await self._check_mentions(names, directory)
        for word in words:
            _refuse_piece(word)
        if "`" in arguments:
            return CommandLines([], [arguments])
        return CommandLines([arguments] if SHELL_SIGNS.search(arguments) else [], [])

    async def _check_mentions(self, names: Sequence[str], directory: str) -> None:
        if not names:
            return
        base = await self._base(directory)
        for name in names:
            _refuse_home(name)
            await self._fence.file(directory, str(PurePath(base) / name))

    async def _base(self, directory: str) -> str:
        """Return the folder to which mentioned files are relative."""
        # OpenCode 1 starts from the project's root, which may be above the session's directory.
        in_worktree = (await self._client.features()).mentions_in_worktree
        return (await self._client.path(directory)).worktree if in_worktree else directory

    async def _check_own(self, names: Sequence[str], directory: str) -> None:
        """Check the files that the template itself mentions: they may be anywhere in the project's worktree."""
        if not names:
            return
        worktree, base = (await self._client.path(directory)).worktree, await self._base(directory)
        for name in names:
            _refuse_home(name)
            if worktree != NO_GIT:
                await self._fence.file(worktree, str(PurePath(base) / name))
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

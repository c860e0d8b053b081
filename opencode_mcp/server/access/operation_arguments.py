"""Check the arguments of an operation before anything is sent to OpenCode.

A caller may name only places inside the allowed directories, and may grant no permission that the operator did not
allow. ``argument_rules.py`` lists the arguments that name such things.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from opencode_mcp.disk.path_errors import shortened
from opencode_mcp.errors import InvalidArgument, NotAllowed, NotFound
from opencode_mcp.opencode.operations.catalog import operation as row_of
from opencode_mcp.runs.run_note import KEY
from opencode_mcp.server.access import argument_rules
from opencode_mcp.server.access.command_texts import CommandTexts
from opencode_mcp.server.access.shell_lines import check_unasked
from opencode_mcp.server.access.undoing import check_redo, check_undo
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.operation_table import Operation
    from opencode_mcp.opencode.operations.arguments import SplitArguments
    from opencode_mcp.runs.prompting.reload import InstanceReload
    from opencode_mcp.runs.requests.permission_policy import Policy
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.server.access.paths import Fence

BREAKS = re.compile(r"[\t\n\r]")
BLANKS = "".join(map(chr, range(33)))
COMMAND = "session.command"
SHELL = "session.shell"
UNDOING = frozenset({"session.revert", "session.unrevert"})
WORKTREE_FOLDER = "worktree"
"""Folder in OpenCode's data folder that holds worktrees, as ``worktree/<project id>/<name>``."""


class ArgumentChecker:
    """Checks the arguments of operations.

    Args:
        fence: Checks directories, files and sessions.
        allowed: Decides which operations are allowed.
        policy: Decides about shell lines.
        client: Lists projects, worktrees and workspaces.
        instance_reload: Makes OpenCode read new commands.
    """

    def __init__(
        self,
        fence: "Fence",
        allowed: "AllowedOperations",
        policy: "Policy",
        client: "OpenCodeClient",
        instance_reload: "InstanceReload",
    ) -> None:
        self._fence = fence
        self._allowed = allowed
        self._policy = policy
        self._client = client
        self.commands = CommandTexts(fence, client, instance_reload)

    async def admit(
        self, operation: "Operation", arguments: JsonMap, call: "SplitArguments", *, asks: bool
    ) -> "SplitArguments":
        """Check a call, and add the directory in which it takes place.

        Args:
            operation: The operation.
            arguments: The caller's flat arguments, already checked against the schema.
            call: The same arguments, split into path, query and body.
            asks: Whether the host can ask a person.

        Raises:
            NotAllowed: It names a place, a session or a permission that the caller may not use, or would run a shell
                line that the policy refuses or reserves to a person.
            NotFound: It names something that does not exist.
            InvalidArgument: A path or a URL cannot be parsed.
        """
        self._check_rights(operation, arguments)
        _check_metadata(operation, arguments)
        _check_records(operation, arguments)
        directory = await self._directory(operation, arguments, call)
        for name in argument_rules.texts_at(arguments, argument_rules.DIRECTORIES.get(operation.id, ())):
            await self._fence.directory(name)
        for name in argument_rules.texts_at(arguments, argument_rules.FOLDERS.get(operation.id, ())):
            await self._fence.folder(name)
        for name in argument_rules.texts_at(arguments, argument_rules.NEW_DIRECTORIES.get(operation.id, ())):
            await self._check_new(name)
        for name in argument_rules.texts_at(arguments, argument_rules.WORKTREES.get(operation.id, ())):
            await self._check_worktree(name, directory)
        await self._check_files(operation, arguments, directory)
        await self._check_shell_lines(operation, arguments, directory, asks=asks)
        await self._check_undo(operation, arguments)
        await self._check_owners(operation, arguments, directory)
        return _placed(operation, call, directory)

    def _check_rights(self, operation: "Operation", arguments: JsonMap) -> None:
        for place in argument_rules.RIGHTS.get(operation.id, ()):
            for value in argument_rules.values_at(arguments, place):
                if _grants_permission(value) and not self._allowed.allows_effect("admin"):
                    raise NotAllowed(
                        f"`{place}` would give the agent permission by itself, which is not allowed here.",
                        hint="Leave it out, and answer requests with opencode_reply_permission, which follows the "
                        "operator's policy; --allow admin allows it.",
                    )

    async def _directory(self, operation: "Operation", arguments: JsonMap, call: "SplitArguments") -> str:
        """Return the directory of a call: that of its session, if it names one."""
        named = await self._fence.directory(call.directory) if call.directory else ""
        own = await self._session_directory(operation, arguments)
        if own and named and own != named:
            raise InvalidArgument(
                f"The session works in {own}, not in {named}.", hint="Leave `directory` out: the session determines it."
            )
        return own or named or await self._fence.directory()

    async def _session_directory(self, operation: "Operation", arguments: JsonMap) -> str:
        """Check every session that is named, and return the directory of the one that the call belongs to."""
        sessions = {name: await self._fence.session(name) for name in _sessions_of(operation, arguments)}
        return next((sessions[name].directory for name in argument_rules.texts_at(arguments, ["sessionID"])), "")

    async def _check_new(self, name: str) -> None:
        # ``Fence.directory`` requires that it exists; a new directory only has to be inside.
        if not PurePath(name).is_absolute() or not await self._fence.contains(name):
            roots = ", ".join(await self._fence.roots())
            raise NotAllowed(f"The directory {name!r} is outside of what is allowed.", hint=f"Allowed: {roots}.")

    async def _check_worktree(self, name: str, directory: str) -> None:
        listed = cast("list[str]", await self._client.call("worktree.list", directory=directory))
        try:
            await self._fence.folder(name)
        except NotAllowed:
            project = cast("JsonMap", await self._client.call("project.current", directory=directory))
            parent = PurePath(name).parent
            if name not in listed or (parent.parent.name, parent.name) != (WORKTREE_FOLDER, project["id"]):
                raise
        if name not in listed:
            # OpenCode deletes any folder that it takes for a worktree unknown to git.
            raise NotAllowed(
                f"{name!r} is not a worktree of the project.", hint=f"Worktrees: {', '.join(listed) or 'none'}."
            )

    async def _check_undo(self, operation: "Operation", arguments: JsonMap) -> None:
        if operation.id not in UNDOING:
            return
        session = await self._fence.session(arguments["sessionID"])
        if operation.id == "session.revert":
            # If a part is named, OpenCode searches for that part in all messages and ignores the message id.
            first = arguments.get("partID") or arguments["messageID"]
            await check_undo(self._client, self._allowed, session, first)
        else:
            check_redo(self._allowed, session)

    async def _check_files(self, operation: "Operation", arguments: JsonMap, directory: str) -> None:
        for name in argument_rules.texts_at(arguments, argument_rules.FILES.get(operation.id, ())):
            await self._fence.file(directory, name or ".")
        addresses = () if operation.id in argument_rules.ANY_ADDRESS else argument_rules.addresses_in(arguments)
        for url in addresses:
            path = _path_of(url)
            if path:
                await self._fence.file(directory, path)

    async def _check_shell_lines(
        self, operation: "Operation", arguments: JsonMap, directory: str, *, asks: bool
    ) -> None:
        lines: list[str] = []
        if operation.id == COMMAND:
            lines = await self.commands.check(arguments["command"], arguments["arguments"], directory)
        elif operation.id == SHELL:
            lines = [arguments["command"]]
        if lines:
            self._allowed.check(row_of(SHELL))
            check_unasked(self._policy, lines, asks=asks)

    async def _check_owners(self, operation: "Operation", arguments: JsonMap, directory: str) -> None:
        for name in argument_rules.texts_at(arguments, argument_rules.PROJECTS.get(operation.id, ())):
            if name not in await self.projects():
                raise NotAllowed(
                    f"No allowed directory belongs to the project {name!r}.", hint="project.current names the project."
                )
        workspaces = argument_rules.texts_at(arguments, ["workspace", *argument_rules.WORKSPACES.get(operation.id, ())])
        if workspaces:
            listed = cast("list[JsonMap]", await self._client.call("experimental.workspace.list", directory=directory))
            for name in workspaces:
                if name not in {item["id"] for item in listed}:
                    raise NotFound(
                        f"The project has no workspace {name!r}.", hint="experimental.workspace.list lists them."
                    )

    async def projects(self) -> set[str]:
        """Return the ids of the projects that the allowed directories belong to."""
        found = [await self._client.call("project.current", directory=root) for root in await self._fence.roots()]
        return {str(cast("JsonMap", project)["id"]) for project in found}


def _sessions_of(operation: "Operation", arguments: JsonMap) -> list[str]:
    """Return the sessions that the arguments name, as values or as keys."""
    keyed = [
        cast("JsonMap", keys)
        for place in argument_rules.SESSION_KEYS.get(operation.id, ())
        for keys in argument_rules.values_at(arguments, place)
        if isinstance(keys, Mapping)
    ]
    return [*argument_rules.texts_at(arguments, argument_rules.SESSIONS), *(name for keys in keyed for name in keys)]


def _check_metadata(operation: "Operation", arguments: JsonMap) -> None:
    """Refuse arguments that would write the bridges' own note in a session's record."""
    for place in argument_rules.METADATA.get(operation.id, ()):
        for value in argument_rules.values_at(arguments, place):
            if _has_key(value, KEY):
                raise NotAllowed(
                    f"`{place}.{KEY}` is the bridge's own: it records who may answer the session's requests.",
                    hint="Leave it out; it is kept.",
                )


def _check_records(operation: "Operation", arguments: JsonMap) -> None:
    """Refuse arguments that would replace the bridges' own note in a session's record."""
    for place in argument_rules.RECORDS.get(operation.id, ()):
        if any(_has_key(value, "metadata") for value in argument_rules.values_at(arguments, place)):
            raise NotAllowed(
                f"`{place}.metadata` would replace the bridge's note in the session.", hint="Leave it out."
            )


def _has_key(value: object, key: str) -> bool:
    return isinstance(value, Mapping) and key in value


def _grants_permission(value: object) -> bool:
    """Return True if an argument grants a permission, and does not only remove some."""
    if isinstance(value, Mapping):
        return any(cast("JsonMap", value).values())
    return bool(value)


def _path_of(url: str) -> str:
    """Return the path in a ``file:`` URL, as OpenCode reads it; empty for a URL with another scheme.

    Raises:
        InvalidArgument: OpenCode would read another path than the URL seems to name.
    """
    # URL parsers skip leading blanks, and ignore line breaks inside.
    address = BREAKS.sub("", url).lstrip(BLANKS)
    if not address.lower().startswith("file:"):
        return ""
    unclear = InvalidArgument(f"{shortened(url)} is not the URL of a file.", hint="Write file:///absolute/path.")
    try:
        parts = urlsplit(address)
    except ValueError as error:
        # The host is not a valid name, or an incomplete IPv6 address.
        raise unclear from error
    if parts.netloc not in {"", "localhost"} or "\\" in unquote(address):
        raise unclear
    return url2pathname(parts.path if parts.path.startswith("/") else f"/{parts.path}")


def _placed(operation: "Operation", call: "SplitArguments", directory: str) -> "SplitArguments":
    """Add the directory to a call for which OpenCode would choose one by itself."""
    if operation.id == "v2.session.create":
        body = cast("dict[str, object]", call.body)
        return call._replace(body={"location": {"directory": directory}} | body)
    return call._replace(directory=directory if operation.scope != "none" else "")

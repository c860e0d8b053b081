"""Check the arguments of an operation before anything is sent to OpenCode.

A caller may name only places inside the allowed directories, and may grant no permission that the operator did not
allow. ``opencode/tables/argument_rules.py`` describes the rules, which name the arguments.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from opencode_mcp.disk.path_errors import shortened
from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.runs.run_note import NOTE_KEY
from opencode_mcp.runs.session_history import given_answers
from opencode_mcp.server.access import argument_values
from opencode_mcp.server.access.argument_values import RULES, texts_at, values_at, with_text_at
from opencode_mcp.server.access.call_directory import directory_of, needed
from opencode_mcp.server.access.execution.command_texts import CommandTexts
from opencode_mcp.server.access.execution.shell_lines import check_unasked
from opencode_mcp.server.access.execution.undo_checks import check_redo, check_undo
from opencode_mcp.server.access.operations_of_tools import SHELL
from opencode_mcp.server.access.owners import Owners
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.tables.argument_rules import ArgumentRules
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.runs.prompting.reload import InstanceReload
    from opencode_mcp.runs.requests.permission_policy import Policy
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.server.access.fence import Fence

BREAKS = re.compile(r"[\t\n\r]")
BLANKS = "".join(map(chr, range(33)))
OWN_NOTES: Mapping[str, str] = {
    NOTE_KEY: "who may answer the session's requests",
    given_answers.ANSWERS_KEY: "how the session's requests were answered",
}
"""Keys of the bridges' own notes in the metadata of a session, with what they record."""
BY_PERMISSION = (
    "What OpenCode asks is decided by the person's own settings: `permission` in opencode.json, with OpenCode 2 "
    "`permissions`. opencode_reply_permission answers it, within the permission policy of this MCP server."
)


class ArgumentChecker:
    """Checks the arguments of operations.

    Args:
        fence: Checks directories, files and sessions.
        allowed: Decides which operations are allowed.
        policy: Decides about shell lines.
        client: Asks OpenCode about projects, worktrees, workspaces and messages.
        instance_reload: Makes OpenCode read new commands.
        remote: Whether OpenCode's files are on another machine.
    """

    def __init__(
        self,
        fence: "Fence",
        allowed: "AllowedOperations",
        policy: "Policy",
        client: "OpenCodeClient",
        instance_reload: "InstanceReload",
        *,
        remote: bool,
    ) -> None:
        self._fence = fence
        self._allowed = allowed
        self._policy = policy
        self._client = client
        self.owners = Owners(fence, client)
        self.commands = CommandTexts(fence, client, instance_reload, remote=remote)

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
        rules = RULES[operation.generation]
        self._check_rights(rules, operation, arguments)
        self._check_effects(rules, operation, arguments)
        _check_askers(rules, operation, arguments)
        _check_metadata(rules, operation, arguments)
        _check_records(rules, operation, arguments)
        directory = await directory_of(self._fence, operation, arguments, call)
        if _uses_directory(rules, operation, arguments):
            directory = await needed(self._fence, operation, directory)
        call = await self._check_directories(rules, operation, arguments, call)
        for name in texts_at(arguments, rules.folders.get(operation.id, ())):
            await self._fence.folder(name)
        for name in texts_at(arguments, rules.new_directories.get(operation.id, ())):
            await self._fence.check_new_directory(name)
        await self._check_files(rules, operation, arguments, directory)
        await self._check_shell_lines(rules, operation, arguments, directory, asks=asks)
        await self._check_undo(rules, operation, arguments)
        await self._check_owners(rules, operation, arguments, directory)
        call = await self._in_own_project(rules, operation, call, directory)
        return _placed(rules, operation, call, directory)

    async def _in_own_project(
        self, rules: "ArgumentRules", operation: "Operation", call: "SplitArguments", directory: str
    ) -> "SplitArguments":
        """Name the project of the call's directory where OpenCode would otherwise answer for every project."""
        if operation.id not in rules.own_projects:
            return call
        [name] = rules.projects[operation.id]
        project = str(call.query.get(name) or "")
        return call._replace(query={**call.query, name: await self.owners.one_project(operation, project, directory)})

    def _check_rights(self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
        if self._allowed.allows_effect("admin"):
            return
        for place in rules.rights.get(operation.id, ()):
            if any(map(_grants_permission, values_at(arguments, place))):
                raise NotAllowed(
                    f"`{place}` can outweigh what denies or asks elsewhere, so it is not allowed here.",
                    hint=BY_PERMISSION,
                    change=self._allowed.change_for("admin"),
                )
        for place in rules.replaced_rights.get(operation.id, ()):
            if any(True for _ in values_at(arguments, place)):
                raise NotAllowed(
                    f"`{place}` would replace the permission rules of the session, which is not allowed here.",
                    hint=BY_PERMISSION,
                    change=self._allowed.change_for("admin"),
                )

    def _check_effects(self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
        for name, effect in rules.effects.get(operation.id, {}).items():
            if arguments.get(name) and not self._allowed.allows_as(effect, operation):
                raise NotAllowed(
                    f"{operation.id} with `{name}` is not allowed here: its effect is {effect}.",
                    hint=f"Leave `{name}` out.",
                    change=self._allowed.change_for(effect, operation),
                )

    async def _check_directories(
        self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap, call: "SplitArguments"
    ) -> "SplitArguments":
        """Check the directories that are opened, and send their real paths: OpenCode 2 keeps a path as it is given."""
        for place in rules.directories.get(operation.id, ()):
            for name in texts_at(arguments, [place]):
                real = await self._fence.directory(name)
                call = call._replace(
                    query=with_text_at(call.query, place, real), body=with_text_at(call.body, place, real)
                )
        return call

    async def _check_undo(self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
        if operation.id in rules.undo:
            session = await self._fence.session(arguments["sessionID"])
            first = next(iter(texts_at(arguments, rules.undo[operation.id])), "")
            await check_undo(self._client, self._allowed, operation, session, first)
        elif operation.id in rules.redo:
            check_redo(self._allowed, operation, await self._fence.session(arguments["sessionID"]))

    async def _check_files(
        self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap, directory: str
    ) -> None:
        for name in texts_at(arguments, rules.files.get(operation.id, ())):
            await self._fence.file(directory, name or ".")
        addresses = () if operation.id in rules.any_address else argument_values.addresses_in(arguments)
        for url in addresses:
            path = _path_of(url)
            if path:
                await self._fence.file(directory, path)

    async def _check_shell_lines(
        self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap, directory: str, *, asks: bool
    ) -> None:
        lines = texts_at(arguments, rules.shell_lines.get(operation.id, ()))
        if operation.id in rules.commands:
            name, text = rules.commands[operation.id]
            found = await self.commands.check(arguments[name], arguments[text], directory)
            if found.of_caller:
                self._allowed.check_caller_code(SHELL, found.reason)
            lines = found.all
        if lines:
            check_unasked(self._policy, lines, asks=asks)

    async def _check_owners(
        self, rules: "ArgumentRules", operation: "Operation", arguments: JsonMap, directory: str
    ) -> None:
        for name in texts_at(arguments, rules.projects.get(operation.id, ())):
            await self.owners.check_project(operation, name)
        for name in texts_at(arguments, ["workspace", *rules.workspaces.get(operation.id, ())]):
            await self.owners.check_workspace(name, directory)
        for name in texts_at(arguments, rules.worktrees.get(operation.id, ())):
            [project] = texts_at(arguments, rules.projects.get(operation.id, ())) or [""]
            await self.owners.check_worktree(operation, name, directory, project)
        for name in texts_at(arguments, rules.terminals.get(operation.id, ())):
            await self.owners.check_terminal(name)


def _uses_directory(rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> bool:
    """Return True if the directory of a call decides what an argument means, or what OpenCode does.

    An operation that takes a directory, or belongs to a session, always has one.
    """
    if operation.id in rules.own_projects:
        return not texts_at(arguments, rules.projects[operation.id])
    if operation.id in rules.own_directories or texts_at(arguments, rules.workspaces.get(operation.id, ())):
        return True
    return operation.id not in rules.any_address and any(map(_path_of, argument_values.addresses_in(arguments)))


def _check_askers(rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
    for place in rules.askers.get(operation.id, ()):
        if any(True for _ in values_at(arguments, place)):
            raise NotAllowed(
                f"`{place}` would open the request as one of a tool call, which only OpenCode does.",
                hint="Leave it out.",
            )


def _check_metadata(rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
    """Refuse arguments that would write the bridges' own note in a session's record."""
    places = [(place, value) for place in rules.metadata.get(operation.id, ()) for value in values_at(arguments, place)]
    for place, value in places:
        for key, content in OWN_NOTES.items():
            if _has_key(value, key):
                raise NotAllowed(
                    f"`{place}.{key}` belongs to this MCP server: it records {content}.",
                    hint="Leave it out; its value is kept.",
                )


def _check_records(rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> None:
    """Refuse arguments that would replace the bridges' own note in a session's record."""
    for place in rules.records.get(operation.id, ()):
        if any(_has_key(value, "metadata") for value in values_at(arguments, place)):
            raise NotAllowed(
                f"`{place}.metadata` would replace the note of this MCP server in the session.", hint="Leave it out."
            )


def _has_key(value: object, key: str) -> bool:
    return isinstance(value, Mapping) and key in value


def _grants_permission(value: object) -> bool:
    """Return True if an argument grants a permission, and does not only remove some."""
    if not value:
        return False
    if isinstance(value, Mapping):
        return any(cast("JsonMap", value).values())
    # A rule of OpenCode 2 has an effect. To ask is less strict than a denial that the rule outweighs.
    rules = cast("list[JsonMap]", value) if isinstance(value, list) else []
    return not rules or any(texts_at(rule, ["effect"]) != ["deny"] for rule in rules)


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


def _placed(rules: "ArgumentRules", operation: "Operation", call: "SplitArguments", directory: str) -> "SplitArguments":
    """Add the directory to a call for which OpenCode would choose one by itself."""
    if operation.id in rules.own_directories:
        body = cast("dict[str, object]", call.body)
        return call._replace(body={"location": {"directory": directory}} | body)
    return call._replace(directory=directory if operation.scope != "none" else "")

"""Find the directory in which a call of an operation takes place.

It is that of the session that the call names, else the one that the call names itself, else the default directory. If
only patterns are listed, there is no default. An operation that takes no directory can then still be called, and its
call has no directory unless an argument needs one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.access import argument_values
from opencode_mcp.server.access.argument_values import RULES, texts_at, values_at
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.tables.argument_rules import ArgumentRules
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.server.access.fence import Fence

WITHOUT_FILES = frozenset(
    {
        "permission.reply",
        "permission.respond",
        "session.abort",
        "session.delete",
        "session.form.cancel",
        "session.form.reply",
        "session.inbox.cancel",
        "session.interrupt",
        "session.move",
        "session.remove",
        "session.unshare",
        "session.update",
        "session.view",
    }
)
"""Operations that change a session and need none of its files: they are possible if its directory was removed, too."""


async def directory_of(fence: "Fence", operation: "Operation", arguments: JsonMap, call: "SplitArguments") -> str:
    """Return the directory of a call; empty if it has none.

    Args:
        fence: Checks directories and sessions.
        operation: The operation.
        arguments: The caller's flat arguments, already checked against the schema.
        call: The same arguments, split into path, query and body.

    Raises:
        NotAllowed: It names a directory or a session that the caller may not use.
        NotFound: It names a directory or a session that does not exist.
        InvalidArgument: It names a session and another directory, or no directory where one is needed.
    """
    rules = RULES[operation.generation]
    named = await fence.directory(call.directory) if call.directory else ""
    own = await _session_directory(fence, rules, operation, arguments)
    if own and named and own != named:
        raise InvalidArgument(
            f"The session works in {own}, not in {named}.", hint="Leave `directory` out: the session determines it."
        )
    return own or named or await _opened_directory(fence, rules, operation, arguments)


async def needed(fence: "Fence", operation: "Operation", directory: str) -> str:
    """Return the directory of a call that cannot take place without one.

    Raises:
        InvalidArgument: The call has none, and there is no default.
    """
    if directory:
        return directory
    try:
        return await fence.directory()
    except InvalidArgument as error:
        rules = RULES[operation.generation]
        places = [*rules.directories.get(operation.id, ()), *rules.projects.get(operation.id, ())]
        error.hint = f"Give `{places[0]}`." if places else error.hint
        raise


async def _opened_directory(fence: "Fence", rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> str:
    """Return the directory that an argument has OpenCode open, or else the default one, if there is one."""
    for name in texts_at(arguments, rules.directories.get(operation.id, ())):
        return await fence.directory(name)
    if operation.scope == "none" and not await fence.has_default():
        return ""
    return await fence.directory()


async def _session_directory(fence: "Fence", rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> str:
    """Check every session that is named, and return the directory of the one that the call belongs to."""
    for name in texts_at(arguments, rules.new_sessions.get(operation.id, ())):
        await fence.check_place_of(name)
    sessions = {name: await fence.session(name) for name in _sessions_of(rules, operation, arguments)}
    own = next((sessions[name].directory for name in texts_at(arguments, ["sessionID"])), "")
    if own and operation.effect != "read" and operation.id not in WITHOUT_FILES:
        await fence.check_files_exist(own)
    return own


def _sessions_of(rules: "ArgumentRules", operation: "Operation", arguments: JsonMap) -> list[str]:
    """Return the sessions that the arguments name, as values or as keys."""
    keyed = [
        cast("JsonMap", keys)
        for place in rules.session_keys.get(operation.id, ())
        for keys in values_at(arguments, place)
        if isinstance(keys, Mapping)
    ]
    named = [name for name in texts_at(arguments, argument_values.SESSIONS) if name != argument_values.NO_SESSION]
    return [*named, *(name for keys in keyed for name in keys)]

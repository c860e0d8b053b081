"""Place of a call, for the audit log: its session and its directory, those inside of other arguments included. Pure."""

from collections.abc import Iterable, Mapping

from opencode_mcp.text.json_values import as_map, as_maps, as_text

OPERATION_TOOL = "opencode_call_operation"
OPERATION_TOOLS = frozenset({OPERATION_TOOL, "opencode_read_operation"})
"""Tools with the arguments of an operation inside of their own."""
IN_DEFAULT_DIRECTORY = frozenset(
    {"opencode_run", "opencode_run_many", "opencode_command", "opencode_shell", OPERATION_TOOL}
)
"""Tools that work in the default directory if a call names neither a session nor a directory."""


def session_named(tool: str, arguments: Mapping[str, object]) -> str:
    """Return the session that a call names; empty if it names none."""
    named = as_map(arguments.get("arguments")).get("sessionID") if tool in OPERATION_TOOLS else None
    return as_text(arguments.get("session_id")) or as_text(named)


def directory_of(tool: str, arguments: Mapping[str, object], default: str) -> str:
    """Return the directory, or the directories, in which a call works; empty if its session decides that.

    Args:
        tool: The tool.
        arguments: Those of the call, as the client sent them.
        default: The default directory.
    """
    named = list(dict.fromkeys(_directories(tool, arguments)))
    if tool in IN_DEFAULT_DIRECTORY and not session_named(tool, arguments):
        named = list(dict.fromkeys(name or default for name in named))
    return ", ".join(filter(None, named))


def _directories(tool: str, arguments: Mapping[str, object]) -> Iterable[str]:
    match tool:
        case "opencode_call_operation":
            yield as_text(as_map(arguments.get("arguments")).get("directory"))
        case "opencode_run_many":
            common = as_text(as_map(arguments.get("common")).get("directory"))
            for task in as_maps(arguments.get("tasks")) or [{}]:
                yield as_text(task.get("directory")) or common
        case _:
            yield as_text(arguments.get("directory"))

"""Refusals of operations: what they would do, what the caller can do instead, and the setting that allows them.

A job often needs several operations. A refusal names them all, so that a person changes the settings once.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed, SettingsChange
from opencode_mcp.opencode.configuration_changes import RESTART
from opencode_mcp.server.access.operations_of_tools import TOOL_OF
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Annotation, Effect, Group
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation

DANGERS: Mapping["Effect", str] = {
    "execute": "It runs something for which OpenCode asks no permission: a mistake, or a text that misleads you, could "
    "do anything that the user can do.",
    "admin": "It changes how OpenCode works for all its users, or publishes or returns something secret.",
}
"""Risk of the operations of each effect that needs ``--allow``."""
ALLOWED_WITH: Mapping["Effect", str] = {
    "execute": "everything that runs something unasked",
    "admin": "everything that changes OpenCode for all its users or returns secrets",
}
"""Operations that ``--allow`` allows if it names the effect, as the end of a sentence."""
GROUP_DANGERS: Mapping["Group", str] = {
    "terminal": "A terminal runs every command with the user's rights, and OpenCode asks no permission for it.",
    "mcp": "An MCP server is a program that runs with the user's rights.",
    "providers": "It uses, changes or returns credentials of model providers.",
    "config": "The configuration decides which programs OpenCode runs and for what it asks permission.",
    "worktrees": "It creates or deletes folders with all their files, and may run the project's start command.",
}
"""Risk of the operations of some groups, in place of the general text."""
NOTE_IS_DANGER = frozenset(
    {"global.dispose", "instance.dispose", "location.reload", "debug.location.evict", "server.pair", "server.connect"}
)
"""Operations whose note says their risk."""
JOBS: Mapping["Generation", tuple[tuple[str, ...], ...]] = {
    1: (
        ("pty.create", "pty.connect", "pty.update", "pty.remove"),
        ("v2.pty.create", "v2.pty.connect", "v2.pty.update", "v2.pty.remove"),
        ("worktree.create", "worktree.remove", "worktree.reset"),
        ("experimental.workspace.create", "experimental.workspace.remove"),
        ("v2.projectCopy.create", "v2.projectCopy.remove"),
        ("v2.session.revert.stage", "v2.session.revert.clear", "v2.session.revert.commit"),
        ("mcp.add", "mcp.connect", "mcp.disconnect"),
        ("mcp.auth.start", "mcp.auth.callback"),
        ("provider.oauth.authorize", "provider.oauth.callback"),
        ("v2.integration.connect.oauth", "v2.integration.attempt.complete", "v2.integration.attempt.cancel"),
        ("auth.set", "auth.remove"),
        ("tui.submitPrompt", "tui.executeCommand"),
    ),
    2: (
        ("pty.create", "pty.connect.token", "pty.update", "pty.remove"),
        (
            "experimental.persistentPty.create",
            "experimental.persistentPty.connectToken",
            "experimental.persistentPty.update",
            "experimental.persistentPty.remove",
        ),
        ("shell.create", "shell.remove"),
        ("worktree.create", "worktree.remove"),
        ("session.instructions.entry.put", "session.instructions.entry.remove"),
        ("mcp.add", "mcp.connect", "mcp.disconnect", "mcp.remove"),
        ("integration.oauth.connect", "integration.oauth.complete", "integration.oauth.cancel"),
        ("integration.command.connect", "integration.command.cancel"),
        ("credential.create", "credential.update", "credential.activate", "credential.remove"),
        ("permission.saved.update", "permission.saved.remove"),
    ),
}
"""Operations of each generation that one job needs together. All of a job have the same effect."""
AGENT_TOOL = "opencode_run"
BY_AGENT = "OpenCode's agent can {} under OpenCode's permission rules."
COMMANDS = frozenset({"session.shell", "shell.create", "pty.create", "experimental.persistentPty.create"})
"""Operations in whose place the agent runs commands, which is not the same as a terminal."""
OPENS_TERMINAL = frozenset({"pty.create", "v2.pty.create", "experimental.persistentPty.create"})
"""Operations whose note says how the terminal can be used, which a person must know before allowing them."""
INSTEAD: Mapping[str, str] = {
    **TOOL_OF,
    "permission.respond": "opencode_reply_permission",
    "file.write": AGENT_TOOL,
    "vcs.apply": AGENT_TOOL,
    "session.shell": AGENT_TOOL,
    "shell.create": AGENT_TOOL,
    "pty.create": AGENT_TOOL,
    "experimental.persistentPty.create": AGENT_TOOL,
}
"""Tools that need no ``--allow``, by the operation that they replace: OpenCode's rules apply to what they do."""
_LOGIN = "sign in with `opencode auth login` in a terminal"
_MCP_ENTRIES: Mapping["Generation", str] = {
    1: '"NAME": {"type": "local", "command": ["PROGRAM"], "enabled": true}',
    2: '"NAME": {"type": "local", "command": ["PROGRAM"]}',
}
"""Entry of an MCP server in the configuration, as an example."""
_BY_CONFIGURATION = f"for good, put into the opencode.json of the project {{}}, then {RESTART}"
_MCP_1 = _BY_CONFIGURATION.format(f'{{"mcp": {{{_MCP_ENTRIES[1]}}}}}')
_MCP_2 = _BY_CONFIGURATION.format(f'{{"mcp": {{"servers": {{{_MCP_ENTRIES[2]}}}}}}}')
_MCP_NAMES: Mapping["Generation", str] = {1: "name", 2: "server"}
"""Argument of ``mcp.add`` with the name of the server."""
_SETTINGS = f"edit opencode.json, then {RESTART}"
_TERMINAL = "open a terminal of their own"
BY_HAND: Mapping["Generation", Mapping[str, str]] = {
    1: {
        **dict.fromkeys(("mcp.add", "mcp.connect", "mcp.disconnect"), _MCP_1),
        **dict.fromkeys(("auth.set", "provider.oauth.authorize", "provider.oauth.callback"), _LOGIN),
        **dict.fromkeys(("config.update", "global.config.update"), _SETTINGS),
    },
    2: {
        **dict.fromkeys(("mcp.add", "mcp.connect", "mcp.disconnect", "mcp.remove"), _MCP_2),
        **dict.fromkeys(("integration.connect.key", "integration.oauth.connect", "credential.create"), _LOGIN),
        "config.update": _SETTINGS,
        **dict.fromkeys(("pty.create", "experimental.persistentPty.create"), _TERMINAL),
    },
}
"""Ways of a person to the same end that need no ``--allow``, by operation; that of an MCP server is also lasting."""
SAME_RISK_BY_HAND = frozenset({"mcp", "config"})
"""Groups of operations whose risk is that of the way by hand, too."""
EDITS_CONFIGURATION = frozenset({"mcp.add", "config.update"})
"""Operations in whose place the agent can edit the configuration of the project."""
BY_EDIT = "Have opencode_run edit the opencode.json of the project, or make it, under OpenCode's permission rules."


def job_of(operation_id: str, generation: "Generation") -> tuple[str, ...]:
    """Return the operations that are needed together with an operation: the operation itself first."""
    for job in JOBS[generation]:
        if operation_id in job:
            return (operation_id, *(name for name in job if name != operation_id))
    return (operation_id,)


def added_to(allowed: Collection[str], names: Iterable[str], effect: "Effect") -> SettingsChange:
    """Return the change that allows some names, or their whole effect, besides the allowed ones.

    The flag repeats these, since it replaces what the environment or the settings file allows.
    """
    added = list(names)
    flags = f"--allow {','.join(dict.fromkeys([*allowed, *added]))}"
    broader = f"--allow {','.join([*allowed, effect])}"
    purpose = f"so that {added[0]} works"
    return SettingsChange(flags, broader=broader, broader_allows=ALLOWED_WITH.get(effect, "more"), purpose=purpose)


def not_allowed(
    operation_id: str, annotation: "Annotation", generation: "Generation", allowed: Collection[str]
) -> NotAllowed:
    """Return the refusal of an operation that ``--allow`` does not name.

    Args:
        operation_id: The operation.
        annotation: Its annotation.
        generation: The generation of OpenCode that has it.
        allowed: The names in ``--allow``.
    """
    general = GROUP_DANGERS.get(annotation.group, DANGERS[annotation.effect])
    danger = annotation.note if operation_id in NOTE_IS_DANGER else general
    note = annotation.note if operation_id in OPENS_TERMINAL else ""
    return NotAllowed(
        f"{operation_id} is not allowed here: its effect is {annotation.effect}.",
        hint=_way_of_caller(operation_id),
        change=added_to(allowed, job_of(operation_id, generation), annotation.effect),
        by_person=BY_HAND[generation].get(operation_id, ""),
        remark=f"{danger} {note}".strip(),
        risk_by_person=danger if annotation.group in SAME_RISK_BY_HAND else "",
    )


def with_entry_of(refusal: NotAllowed, operation: "Operation", arguments: JsonMap) -> NotAllowed:
    """Return the refusal of a call of ``mcp.add`` with the entry of the very server that the call names.

    Args:
        refusal: The refusal of the operation.
        operation: The operation.
        arguments: The arguments of the call; they are not checked yet.
    """
    name, entry = arguments.get(_MCP_NAMES[operation.generation]), arguments.get("config")
    if operation.id == "mcp.add" and isinstance(name, str) and isinstance(entry, Mapping):
        given = json.dumps({name: entry}, ensure_ascii=False).removeprefix("{").removesuffix("}")
        refusal.by_person = refusal.by_person.replace(_MCP_ENTRIES[operation.generation], given)
    return refusal


def _way_of_caller(operation_id: str) -> str:
    """Return how the caller can do the same without ``--allow``; empty if there is no way."""
    if operation_id in EDITS_CONFIGURATION:
        return BY_EDIT
    tool = INSTEAD.get(operation_id)
    if not tool:
        return ""
    agent = BY_AGENT.format("run commands" if operation_id in COMMANDS else "do it")
    return f"Use {tool}: {agent}" if tool == AGENT_TOOL else f"{tool} needs no setting."

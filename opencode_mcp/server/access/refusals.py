"""Refusals of operations: what they would do, what the caller can do instead, and the setting that allows them.

A job often needs several operations. A refusal names them all, so that a person changes the settings once.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed, SettingsChange

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Annotation, Effect, Group
    from opencode_mcp.opencode.versions import Generation

DANGERS: Mapping["Effect", str] = {
    "execute": "It runs something for which OpenCode asks no permission: a mistake, or a text that misleads you, could "
    "do anything that the user can do.",
    "admin": "It changes how OpenCode works for all its users, or publishes or returns something secret.",
}
"""Risk of the operations of each effect that needs ``--allow``."""
GROUP_DANGERS: Mapping["Group", str] = {
    "terminal": "A terminal runs every command with the user's rights, and OpenCode asks no permission for it.",
    "mcp": "An MCP server is a program that runs with the user's rights.",
    "providers": "It uses, changes or returns credentials of model providers.",
    "config": "The configuration decides which programs OpenCode runs and for what it asks permission.",
    "worktrees": "It creates or deletes folders with all their files, and may run the project's start command.",
}
"""Risk of the operations of some groups, in place of the general text."""
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
INSTEAD: Mapping[str, str] = {
    "session.prompt": "opencode_run",
    "session.prompt_async": "opencode_run",
    "session.command": "opencode_command",
    "permission.reply": "opencode_reply_permission",
    "permission.respond": "opencode_reply_permission",
    "question.reply": "opencode_reply_question",
    "session.form.reply": "opencode_reply_question",
    "file.write": "opencode_run",
    "vcs.apply": "opencode_run",
    "session.shell": "opencode_run",
    "shell.create": "opencode_run",
    "pty.create": "opencode_run",
}
"""Tools that need no ``--allow``, by the operation that they replace: OpenCode's rules apply to what they do."""


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
    flags = f"--allow {','.join(dict.fromkeys([*allowed, *names]))}"
    return SettingsChange(flags, broader=f"--allow {','.join([*allowed, effect])}")


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
    danger = GROUP_DANGERS.get(annotation.group, DANGERS[annotation.effect])
    tool = INSTEAD.get(operation_id)
    return NotAllowed(
        f"{operation_id} is not allowed here: its effect is {annotation.effect}. {danger}",
        hint=f"{tool} needs no setting: OpenCode's agent can do it under OpenCode's permission rules." if tool else "",
        change=added_to(allowed, job_of(operation_id, generation), annotation.effect),
    )

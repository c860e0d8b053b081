"""Rules for the arguments of OpenCode 2's operations that name places, sessions and permissions.

The files of a prompt have URIs, which are checked in all operations by their names: OpenCode 2 reads every file that
its user may read, and asks for no permission.
"""

from opencode_mcp.opencode.tables.argument_rules import ArgumentRules

TERMINAL = "experimental.persistentPty"

RULES = ArgumentRules(
    directories={
        "project.update": ["canonical"],
        "session.create": ["location.directory"],
        "session.import": ["location.directory", "info.location.directory"],
        "session.list": ["directory"],
        "session.move": ["directory"],
    },
    own_directories=frozenset({"session.create", "session.import"}),
    folders={
        f"{TERMINAL}.create": ["cwd"],
        "mcp.add": ["config.cwd"],
        "pty.create": ["cwd"],
        "shell.create": ["cwd"],
        "worktree.create": ["from"],
    },
    new_directories={"worktree.create": ["directory"]},
    worktrees={"worktree.remove": ["directory"]},
    files={"file.list": ["path"], "file.read": ["path"], "file.write": ["path"]},
    new_sessions={"session.create": ["id"], "session.import": ["info.id"]},
    projects={
        "permission.saved.list": ["projectID"],
        "project.update": ["projectID"],
        "session.list": ["project"],
        "session.stats": ["project"],
        "worktree.create": ["projectID"],
        "worktree.list": ["projectID"],
        "worktree.refresh": ["projectID"],
        "worktree.remove": ["projectID"],
    },
    own_projects=frozenset({"session.stats"}),
    terminals={f"{TERMINAL}.{name}": ["ptyID"] for name in ("connectToken", "get", "remove", "snapshot", "update")},
    rights={"session.create": ["permissions"], "session.import": ["info.permissions"]},
    replaced_rights={"session.update": ["permissions"]},
    askers={
        "permission.create": ["source"],
        "session.form.create": ["metadata.kind", "metadata.server", "metadata.tool"],
    },
    metadata={"session.create": ["metadata"], "session.update": ["metadata"]},
    records={"session.import": ["info"]},
    effects={"session.interrupt": {"resume": "execute"}},
    shell_lines={"session.shell": ["command"], "shell.create": ["command"]},
    commands={"session.command": ("name", "text")},
    undo={"session.revert.stage": ["messageID"]},
    redo=frozenset({"session.revert.clear"}),
)

"""Rules for the arguments of OpenCode 1's operations that name places, sessions and permissions."""

from opencode_mcp.opencode.tables.argument_rules import ArgumentRules

RULES = ArgumentRules(
    directories={
        "experimental.controlPlane.moveSession": ["destination.directory"],
        "sync.replay": ["directory"],
        "v2.session.create": ["location.directory"],
    },
    own_directories=frozenset({"v2.session.create"}),
    folders={
        "mcp.add": ["config.cwd"],
        "pty.create": ["cwd"],
        "v2.projectCopy.remove": ["directory"],
        "v2.pty.create": ["cwd"],
    },
    new_directories={"v2.projectCopy.create": ["directory"]},
    worktrees={"worktree.remove": ["directory"], "worktree.reset": ["directory"]},
    files={
        "file.list": ["path"],
        "file.read": ["path"],
        "v2.fs.list": ["path"],
        "v2.fs.read": ["path"],
    },
    any_address=frozenset({"config.update", "global.config.update"}),
    session_keys={"sync.history.list": ["body"]},
    projects={
        "experimental.projectCopy.generateName": ["projectID"],
        "project.directories": ["projectID"],
        "project.update": ["projectID"],
        "v2.permission.saved.list": ["projectID"],
        "v2.projectCopy.create": ["projectID"],
        "v2.projectCopy.refresh": ["projectID"],
        "v2.projectCopy.remove": ["projectID"],
        "v2.session.list": ["project"],
    },
    workspaces={
        "experimental.workspace.remove": ["id"],
        "experimental.workspace.warp": ["id"],
        "session.create": ["workspaceID"],
        "v2.session.create": ["location.workspaceID"],
    },
    rights={
        "session.create": ["permission"],
        "session.prompt": ["tools"],
        "session.prompt_async": ["tools"],
        "session.update": ["permission"],
        "sync.replay": ["events"],
    },
    metadata={"session.create": ["metadata"], "session.update": ["metadata"]},
    records={"sync.replay": ["events[].data.info"]},
    shell_lines={"session.shell": ["command"]},
    commands={"session.command": ("command", "arguments")},
    # If a part is named, OpenCode searches for that part in all messages and ignores the message id.
    undo={"session.revert": ["partID", "messageID"]},
    redo=frozenset({"session.unrevert"}),
)

"""Table of OpenCode's operations that each tool, resource and completion of our own uses, for ``--deny``.

It names the operations that a tool performs for its caller. Operations that the bridge uses for itself, to check an
argument or to follow a run, are not named: denying such a read would only make errors worse. ``read`` stands for every
read. If two operations return the same data, both are named, so that denying either hides that data.
"""

from collections.abc import Mapping

Uses = Mapping[str, tuple[str, ...]]

TOOL_USES: Uses = {
    "opencode_run": ("session.create", "session.prompt_async"),
    "opencode_wait": ("session.messages", "session.status"),
    "opencode_reply_permission": ("permission.reply",),
    "opencode_reply_question": ("question.reply", "question.reject"),
    "opencode_abort": ("session.abort",),
    "opencode_list_sessions": ("session.list", "experimental.session.list"),
    "opencode_session": ("session.get", "session.messages", "session.todo", "session.children"),
    "opencode_diff": ("session.diff", "session.messages", "vcs.diff", "vcs.get"),
    "opencode_revert": ("session.revert", "session.unrevert"),
    "opencode_fork": ("session.fork",),
    "opencode_command": ("session.create", "session.command"),
    "opencode_shell": ("session.shell",),
    "opencode_list_files": ("file.list",),
    "opencode_read_file": ("file.read", "file.list"),
    "opencode_find_files": ("find.files",),
    "opencode_find_text": ("find.text",),
    "opencode_find_symbols": ("find.symbols", "find.text"),
    "opencode_status": (
        "vcs.get",
        "vcs.status",
        "session.status",
        "app.agents",
        "command.list",
        "config.providers",
        "provider.list",
        "mcp.status",
    ),
    "opencode_find_operations": (),
    "opencode_read_operation": ("read",),
    "opencode_call_operation": (),
}
"""Operations by the tool's name. The two tools without operations check each call."""
RESOURCE_USES: Uses = {
    "sessions": TOOL_USES["opencode_list_sessions"],
    "project": TOOL_USES["opencode_status"],
    "session": TOOL_USES["opencode_session"],
    "transcript": ("session.messages",),
    "changes": TOOL_USES["opencode_diff"],
    "todos": ("session.todo",),
    "message": ("session.message",),
    "run": TOOL_USES["opencode_wait"],
    "file": TOOL_USES["opencode_read_file"],
}
"""Operations by the resource's name."""
COMPLETION_USES: Uses = {
    "id": ("experimental.session.list",),
    "session": ("experimental.session.list",),
    "session_id": ("experimental.session.list",),
    "message": ("session.messages",),
    "agent": ("app.agents",),
    "model": ("config.providers", "provider.list"),
    "command": ("command.list",),
    "path": ("find.files",),
    "directory": (),
    "detailed": (),
}
"""Operations by the argument's name."""

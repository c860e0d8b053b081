"""Table of OpenCode's operations that each tool, resource and completion of our own uses, for ``--deny``.

It names the operations that a tool performs for its caller, for each generation of OpenCode. Operations that the bridge
uses for itself, to check an argument or to follow a run, are not named: denying such a read would only make errors
worse. Nor is the interrupt named by which the bridge rejects on OpenCode 2: OpenCode's own rejection ends the run in
the same way. ``read`` stands for every read. If two operations return the same data, both are named, so that denying
either hides that data. OpenCode 2 searches no text, so the bridge searches the files itself there: denying to read
files hides that, too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

OneOperation = Mapping["Generation", str]
"""Id of an operation of each generation for the same purpose."""
Uses = Mapping["Generation", tuple[str, ...]]
"""Ids of the operations of each generation that something uses."""
STOP: OneOperation = {1: "session.abort", 2: "session.interrupt"}
SHELL: OneOperation = {1: "session.shell", 2: "session.shell"}
UNDO: OneOperation = {1: "session.revert", 2: "session.revert.stage"}
REDO: OneOperation = {1: "session.unrevert", 2: "session.revert.clear"}
MESSAGES: OneOperation = {1: "session.messages", 2: "message.list"}
RELOAD: OneOperation = {1: "instance.dispose", 2: "debug.location.evict"}
UNCOMMITTED: OneOperation = {1: "vcs.status", 2: "vcs.status"}
ANSWERS: Mapping[str, OneOperation] = {
    "permission.reply": {1: "permission.reply", 2: "permission.reply"},
    "question.reply": {1: "question.reply", 2: "session.form.reply"},
    "question.reject": {1: "question.reject", 2: "session.form.cancel"},
}
"""Operations that answer, by the names that ``runs/answers/answer_rules.py`` has for them."""
INTEGRATE = "opencode_integrate"
"""Tool that brings the work of an isolated run back."""
NOTHING: Uses = {1: (), 2: ()}
RUN: Uses = {1: ("session.create", "session.prompt_async"), 2: ("session.create", "session.prompt")}
STARTS: Uses = {
    1: (
        *("session.prompt", "session.prompt_async", "session.command", "session.init", "session.summarize"),
        *("tui.submitPrompt", "v2.session.prompt", "v2.session.compact"),
    ),
    2: (
        *("session.prompt", "session.command", "session.compact", "session.generate", "session.skill"),
        *("session.synthetic", "generate.text"),
    ),
}
"""Operations by which a caller makes a model work."""
READ_FILE: Uses = {1: ("file.read", "file.list"), 2: ("file.read", "file.list")}
SESSION_LIST: Uses = {1: ("session.list", "experimental.session.list"), 2: ("session.list",)}
TOOL_USES: Mapping[str, Uses] = {
    "opencode_run": RUN,
    "opencode_run_many": RUN,
    "opencode_wait": {1: ("session.messages", "session.status"), 2: ("message.list", "session.active")},
    "opencode_reply_permission": {1: ("permission.reply",), 2: ("permission.reply",)},
    "opencode_reply_question": {
        1: ("question.reply", "question.reject"),
        2: ("session.form.reply", "session.form.cancel"),
    },
    "opencode_abort": {1: (STOP[1],), 2: (STOP[2],)},
    "opencode_list_sessions": SESSION_LIST,
    "opencode_session": {
        1: ("session.get", "session.messages", "session.todo", "session.children"),
        2: ("session.get", "message.list", "session.list"),
    },
    "opencode_cost": {1: (*SESSION_LIST[1], MESSAGES[1]), 2: (*SESSION_LIST[2], MESSAGES[2])},
    "opencode_diff": {
        1: ("session.diff", "session.messages", "vcs.diff", "vcs.get"),
        2: ("session.diff", "message.list", "vcs.diff", "vcs.get"),
    },
    "opencode_revert": {1: (UNDO[1], REDO[1]), 2: (UNDO[2], REDO[2])},
    "opencode_fork": {1: ("session.fork",), 2: ("session.fork",)},
    "opencode_update_session": {1: ("session.update",), 2: ("session.update",)},
    "opencode_delete_session": {1: ("session.delete",), 2: ("session.remove",)},
    "opencode_integrate": NOTHING,
    "opencode_command": {1: ("session.create", "session.command"), 2: ("session.create", "session.command")},
    "opencode_shell": {1: ("session.create", SHELL[1]), 2: ("session.create", SHELL[2])},
    "opencode_read_file": READ_FILE,
    "opencode_find_files": {1: ("find.files",), 2: ("file.find",)},
    "opencode_find_text": {1: ("find.text",), 2: ("file.read",)},
    "opencode_find_symbols": {1: ("find.symbols", "find.text"), 2: ("file.read",)},
    "opencode_status": {
        1: (
            "vcs.get",
            "vcs.status",
            "session.status",
            "app.agents",
            "command.list",
            "config.providers",
            "provider.list",
            "mcp.status",
        ),
        2: (
            "vcs.get",
            "vcs.status",
            "session.active",
            "agent.list",
            "command.list",
            "model.list",
            "model.default",
            "provider.list",
            "mcp.list",
        ),
    },
    "opencode_find_operations": NOTHING,
    "opencode_read_operation": {1: ("read",), 2: ("read",)},
    "opencode_call_operation": NOTHING,
}
"""Operations by the tool's name. The two tools without operations check each call."""
TOOL_OF: Mapping[str, str] = {
    "session.prompt": "opencode_run",
    "session.prompt_async": "opencode_run",
    "session.command": "opencode_command",
    "session.list": "opencode_list_sessions",
    "experimental.session.list": "opencode_list_sessions",
    "session.get": "opencode_session",
    "session.messages": "opencode_session",
    "message.list": "opencode_session",
    "session.diff": "opencode_diff",
    "vcs.diff": "opencode_diff",
    "session.abort": "opencode_abort",
    "session.interrupt": "opencode_abort",
    "session.revert": "opencode_revert",
    "session.unrevert": "opencode_revert",
    "session.revert.stage": "opencode_revert",
    "session.revert.clear": "opencode_revert",
    "session.fork": "opencode_fork",
    "session.update": "opencode_update_session",
    "session.delete": "opencode_delete_session",
    "session.remove": "opencode_delete_session",
    "permission.reply": "opencode_reply_permission",
    "question.reply": "opencode_reply_question",
    "question.reject": "opencode_reply_question",
    "session.form.reply": "opencode_reply_question",
    "session.form.cancel": "opencode_reply_question",
    "file.list": "opencode_read_file",
    "file.read": "opencode_read_file",
    "find.files": "opencode_find_files",
    "file.find": "opencode_find_files",
    "find.text": "opencode_find_text",
    "find.symbols": "opencode_find_symbols",
    "app.agents": "opencode_status",
    "agent.list": "opencode_status",
    "command.list": "opencode_status",
    "config.providers": "opencode_status",
    "model.list": "opencode_status",
}
"""The tool that does the work of an operation, with the checks that the operation lacks: it is the better choice."""
ONLY_IF_ALLOWED: Mapping[str, OneOperation] = {"opencode_shell": SHELL}
"""Tools that are listed only if ``--allow`` allows the operation that they perform: they run code of the caller's
choice, for which OpenCode itself asks no permission."""
WRITE_BY_THEMSELVES = frozenset({"opencode_integrate"})
"""Tools that change files without an operation of OpenCode: ``--deny write`` removes them too."""
MINIMAL_TOOLS = frozenset(
    {
        "opencode_run",
        "opencode_wait",
        "opencode_reply_permission",
        "opencode_reply_question",
        "opencode_session",
        "opencode_status",
        "opencode_find_operations",
        "opencode_read_operation",
        "opencode_call_operation",
    }
)
"""Tools of the toolset ``minimal``."""
RESOURCE_USES: Mapping[str, Uses] = {
    "sessions": SESSION_LIST,
    "project": TOOL_USES["opencode_status"],
    "opencode": NOTHING,
    "session": TOOL_USES["opencode_session"],
    "transcript": {1: ("session.messages",), 2: ("message.list",)},
    "changes": TOOL_USES["opencode_diff"],
    "todos": {1: ("session.todo",), 2: ()},
    "message": {1: ("session.message",), 2: ("session.message.get",)},
    "run": TOOL_USES["opencode_wait"],
    "file": READ_FILE,
}
"""Operations by the resource's name."""
SESSION_NAMES: Uses = {1: ("experimental.session.list",), 2: ("session.list",)}
COMPLETION_USES: Mapping[str, Uses] = {
    "id": SESSION_NAMES,
    "session": SESSION_NAMES,
    "session_id": SESSION_NAMES,
    "message": {1: ("session.messages",), 2: ("message.list",)},
    "agent": {1: ("app.agents",), 2: ("agent.list",)},
    "model": {1: ("config.providers", "provider.list"), 2: ("model.list", "provider.list")},
    "command": {1: ("command.list",), 2: ("command.list",)},
    "path": {1: ("find.files",), 2: ("file.find",)},
    "directory": NOTHING,
    "show": NOTHING,
}
"""Operations by the argument's name."""

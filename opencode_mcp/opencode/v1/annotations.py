"""Annotations of each operation of OpenCode 1, written by hand: group, effect, words to find it by, and notes.

Methods, paths and arguments are in ``operations.json``, descriptions in ``descriptions.py``, and the effects are
defined in ``annotation_types.py``.
"""

from collections.abc import Mapping

from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.opencode.tables.annotation_types import Annotation

A = Annotation

SEPARATE_MESSAGES = "The v2 API stores messages apart: v1 operations do not see these, nor v2 operations those of v1."
"""Note of the operations that work with the messages of the next API of OpenCode 1."""
_ABORTS = "Disposes the instances that it changes: their runs are aborted and their open requests are lost."
_SECRETS = "OpenCode's answer contains provider keys."
_WORKSPACES = "Works only if the server runs with OPENCODE_EXPERIMENTAL_WORKSPACES=1."
_NO_TUI = "Answers true even if no TUI is attached."
_BROWSER = "A person must open the URL in a browser."
_WRITES = "It writes files, including those that decide what OpenCode runs and asks permission for."
_TERMINAL = "The reply is {output, cursor: to go on from, exited}, and `found` after a `wait_for`."
_TICKET = {"x-opencode-ticket": "1"}

ANNOTATIONS: Mapping[str, Annotation] = {
    # Sessions
    "session.list": A(
        "sessions", "read", "chats conversations recent", "Returns at most the newest 100; there is no cursor."
    ),
    "session.create": A(
        "sessions", "write", "new start open chat conversation", "`model` is {id, providerID} here, not modelID."
    ),
    "session.get": A("sessions", "read", "show chat details title cost tokens"),
    "session.update": A(
        "sessions",
        "write",
        "rename title archive unarchive metadata permission rules",
        "`time.archived` is in milliseconds since the epoch.",
    ),
    "session.delete": A(
        "sessions",
        "write",
        "remove chat erase",
        "A run of the session is stopped first, with its subagents.",
        destructive=True,
    ),
    "session.status": A(
        "sessions", "read", "busy idle running retry progress", "A session that is not in the answer is idle."
    ),
    "session.children": A("sessions", "read", "subagents subtasks child parent"),
    "session.todo": A("sessions", "read", "todos tasks checklist plan"),
    "session.diff": A(
        "sessions",
        "read",
        "changes edits files changed patch",
        "Answers [] without `messageID`, which must be a user message's.",
    ),
    "session.fork": A(
        "sessions",
        "write",
        "branch copy duplicate clone",
        "Without `messageID` it copies all messages. Fails with 500 if a message has `format`.",
    ),
    "session.abort": A(
        "sessions",
        "write",
        "stop cancel interrupt kill run",
        "It stops the subagents too. Answers true even for an idle or unknown session.",
    ),
    "session.share": A(
        "sessions",
        "admin",
        "publish public link url",
        "Everybody with the URL can read the conversation. Fails with 500 offline.",
    ),
    "session.unshare": A("sessions", "write", "unpublish private stop sharing link"),
    "session.revert": A(
        "sessions",
        "write",
        "undo changes rollback restore files back",
        "Answers 409 while the session is busy. It needs --allow execute if it would change a file that decides what "
        "OpenCode runs or asks permission for.",
    ),
    "session.unrevert": A(
        "sessions", "write", "redo undo revert restore", "The same limits hold as for session.revert."
    ),
    "session.summarize": A(
        "sessions", "execute", "compact context shorten compress", "Blocks until the model is done."
    ),
    "session.init": A(
        "sessions",
        "execute",
        "agents.md instructions onboard analyze",
        "Blocks until the model is done; `messageID` must be new.",
    ),
    "experimental.session.list": A(
        "sessions",
        "read",
        "all projects every directory archived chats cursor page",
        "With a directory, only those of its project.",
    ),
    "experimental.session.background": A(
        "sessions",
        "execute",
        "subagents detach continue",
        "Such a subagent runs on when the prompt that started it has ended.",
    ),
    "experimental.controlPlane.moveSession": A(
        "sessions",
        "execute",
        "move relocate directory folder",
        f"With `moveChanges` it moves the uncommitted changes too. {_WRITES}",
        destructive=True,
    ),
    "v2.session.list": A(
        "sessions", "read", "chats conversations page cursor", "Without a directory, it lists those of all projects."
    ),
    "v2.session.create": A("sessions", "write", "new start chat", f"A title is ignored. {SEPARATE_MESSAGES}"),
    "v2.session.get": A("sessions", "read", "show chat details"),
    "v2.session.active": A("sessions", "read", "busy running status", SEPARATE_MESSAGES),
    "v2.session.switchAgent": A("sessions", "write", "change agent mode", SEPARATE_MESSAGES),
    "v2.session.switchModel": A("sessions", "write", "change model", SEPARATE_MESSAGES),
    "v2.session.compact": A("sessions", "execute", "summarize shorten context", SEPARATE_MESSAGES),
    "v2.session.wait": A("sessions", "read", "until idle done finished", "Not implemented in 1.18.33: it answers 503."),
    "v2.session.revert.stage": A("sessions", "execute", "undo rollback preview", f"{_WRITES} {SEPARATE_MESSAGES}"),
    "v2.session.revert.clear": A("sessions", "execute", "redo cancel undo discard", f"{_WRITES} {SEPARATE_MESSAGES}"),
    "v2.session.revert.commit": A("sessions", "execute", "undo apply keep", SEPARATE_MESSAGES, destructive=True),
    "v2.session.interrupt": A("sessions", "write", "abort stop cancel", SEPARATE_MESSAGES),
    # Messages
    "session.messages": A(
        "messages",
        "read",
        "transcript conversation history log answers",
        "`before` needs `limit`. A page with a prompt that has `format` fails with 400.",
    ),
    "session.message": A(
        "messages", "read", "answer reply text parts", "Fails with 400 for a prompt that has `format`."
    ),
    "session.prompt": A(
        "messages",
        "execute",
        "ask chat say run task question",
        "Answers 200 even if the model failed: see `info.error`.",
    ),
    "session.prompt_async": A(
        "messages",
        "execute",
        "ask chat start run task background",
        "The agent and the model are checked later: failures arrive as session.error events only.",
    ),
    "session.command": A(
        "messages",
        "execute",
        "slash command run /init /review template",
        "`model` is a string, provider/model; `arguments` is required and may be empty.",
    ),
    "session.shell": A(
        "messages",
        "execute",
        "bash run terminal command line exec",
        "The exit code is not returned. Answers 409 while the session is busy.",
    ),
    "session.deleteMessage": A(
        "messages",
        "write",
        "remove erase",
        "Does not restore files. Answers 409 while the session is busy.",
        destructive=True,
    ),
    "part.update": A(
        "messages",
        "execute",
        "edit change text",
        "`body` is the whole part with its id, sessionID and messageID. A part of type patch decides which files an "
        "undo restores or deletes; the next prompt runs a part of type subtask.",
    ),
    "part.delete": A(
        "messages", "write", "remove erase piece", "Answers true even for an unknown part.", destructive=True
    ),
    "v2.session.prompt": A("messages", "execute", "ask chat run steer queue", SEPARATE_MESSAGES),
    "v2.session.context": A("messages", "read", "window active history", SEPARATE_MESSAGES),
    "v2.session.message": A("messages", "read", "answer reply", SEPARATE_MESSAGES),
    "v2.session.messages": A("messages", "read", "transcript conversation history", SEPARATE_MESSAGES),
    # Files
    "file.list": A(
        "files", "read", "ls dir folder directory tree browse", "Answers 500 for a folder that does not exist."
    ),
    "file.read": A(
        "files",
        "read",
        "cat open content show text",
        "A missing file reads as empty text, and a final newline is lost. Answers 500 for a path outside the project.",
    ),
    "file.status": A("files", "read", "", "Use vcs.status."),
    "v2.fs.read": A("files", "read", "cat open content file raw"),
    "v2.fs.list": A("files", "read", "ls dir folder tree"),
    # Search
    "find.text": A(
        "search",
        "read",
        "grep ripgrep content regex search code",
        "Needs ripgrep. Answers 500 for a malformed pattern.",
    ),
    "find.files": A(
        "search", "read", "glob locate filename path search", "The result contains folders, unless `type` is file."
    ),
    "find.symbols": A("search", "read", "definition function class lsp", "Use find.text."),
    "v2.fs.find": A("search", "read", "glob locate filename search"),
    # Requests: what waits for a person
    "permission.list": A(
        "requests",
        "read",
        "approval approvals waiting pending",
        "Requests of aborted or deleted sessions stay in the list.",
    ),
    "permission.reply": A(
        "requests",
        "execute",
        "approve allow deny accept confirm grant",
        "Needs the session's own directory. `always` applies to every session of the instance.",
    ),
    "permission.respond": A(
        "requests",
        "execute",
        "approve allow deny accept older",
        "Older form of permission.reply, without a message.",
    ),
    "question.list": A("requests", "read", "asked waiting pending"),
    "question.reply": A("requests", "execute", "answer choose select option", "Needs the session's own directory."),
    "question.reject": A("requests", "write", "dismiss refuse skip cancel", "The run ends."),
    "v2.permission.request.list": A("requests", "read", "approval pending waiting", SEPARATE_MESSAGES),
    "v2.permission.saved.list": A("requests", "read", "remembered always allowed rules"),
    "v2.permission.saved.remove": A("requests", "admin", "forget revoke always rule approval", destructive=True),
    "v2.session.permission.create": A("requests", "write", "ask approval", SEPARATE_MESSAGES),
    "v2.session.permission.list": A("requests", "read", "approval pending", SEPARATE_MESSAGES),
    "v2.session.permission.get": A("requests", "read", "approval show", SEPARATE_MESSAGES),
    "v2.session.permission.reply": A("requests", "execute", "approve allow deny", SEPARATE_MESSAGES),
    "v2.question.request.list": A("requests", "read", "asked pending waiting", SEPARATE_MESSAGES),
    "v2.session.question.list": A("requests", "read", "asked pending", SEPARATE_MESSAGES),
    "v2.session.question.reply": A("requests", "execute", "answer choose", SEPARATE_MESSAGES),
    "v2.session.question.reject": A("requests", "write", "dismiss refuse", SEPARATE_MESSAGES),
    # Project
    "project.list": A("project", "read", "repositories known opened"),
    "project.current": A(
        "project",
        "read",
        "repository root this worktree",
        "Outside git the project id is `global` and the worktree `/`.",
    ),
    "project.update": A(
        "project", "admin", "rename icon name start script", "OpenCode runs `commands.start` in each new worktree."
    ),
    "project.initGit": A(
        "project", "execute", "git init repository create", "It creates `.git` with the hooks of git's template."
    ),
    "project.directories": A("project", "read", "folders copies checkouts"),
    "path.get": A(
        "project",
        "read",
        "cwd home working directory where config folder",
        "Any directory is accepted, even one that does not exist.",
    ),
    "v2.location.get": A("project", "read", "cwd directory where"),
    # Version control
    "vcs.get": A("vcs", "read", "git branch current default head", "The answer is empty outside git."),
    "vcs.status": A("vcs", "read", "git status modified changed uncommitted dirty files"),
    "vcs.diff": A("vcs", "read", "git diff changes patch uncommitted working tree branch"),
    "vcs.diff.raw": A("vcs", "read", "git diff changes patch text uncommitted"),
    "vcs.apply": A(
        "vcs",
        "execute",
        "git apply patch diff edit write files",
        f"{_WRITES} Answers 400 for a patch that does not apply.",
        destructive=True,
    ),
    # Worktrees, workspaces, project copies
    "worktree.list": A("worktrees", "read", "git worktrees sandboxes directories"),
    "worktree.create": A(
        "worktrees",
        "execute",
        "git worktree add new sandbox branch parallel",
        "Runs the project's start command in it. Answers 400 outside git.",
    ),
    "worktree.remove": A(
        "worktrees",
        "execute",
        "git worktree delete sandbox branch",
        "Answers true even for an unknown directory, and 400 for the main worktree.",
        destructive=True,
    ),
    "worktree.reset": A(
        "worktrees",
        "execute",
        "git worktree clean discard sandbox",
        "Deletes untracked files and runs the start command again. Answers 400 for the main worktree.",
        destructive=True,
    ),
    "experimental.workspace.list": A("worktrees", "read", "workspace sandboxes remote"),
    "experimental.workspace.adapter.list": A("worktrees", "read", "workspace kinds types"),
    "experimental.workspace.create": A(
        "worktrees",
        "execute",
        "workspace new sandbox",
        f"{_WORKSPACES} Otherwise it fails after 5 seconds and leaves a git worktree behind. `type` is worktree.",
    ),
    "experimental.workspace.remove": A(
        "worktrees", "execute", "workspace delete", "The answer is empty for an unknown id.", destructive=True
    ),
    "experimental.workspace.status": A("worktrees", "read", "workspace connected"),
    "experimental.workspace.syncList": A("worktrees", "write", "workspace refresh register"),
    "experimental.workspace.warp": A("worktrees", "execute", "workspace move session", f"{_WRITES} {_WORKSPACES}"),
    "experimental.projectCopy.generateName": A("worktrees", "execute", "suggest branch title", "Runs the small model."),
    "v2.projectCopy.create": A(
        "worktrees", "execute", "make clone checkout duplicate", "`directory` is the place of the copy."
    ),
    "v2.projectCopy.remove": A(
        "worktrees", "execute", "delete checkout", "`directory` is the place of the copy.", destructive=True
    ),
    "v2.projectCopy.refresh": A("worktrees", "write", "update list"),
    # Providers and credentials
    "provider.list": A(
        "providers",
        "read",
        "models model llm available connected switch",
        f"{_SECRETS} The answer has 7 MB: prefer config.providers.",
    ),
    "config.providers": A("providers", "read", "models model llm default configured switch", _SECRETS),
    "provider.auth": A("providers", "read", "login sign in methods oauth key"),
    "provider.oauth.authorize": A("providers", "admin", "login sign in connect", _BROWSER),
    "provider.oauth.callback": A(
        "providers", "admin", "login sign in finish code", "Call provider.oauth.authorize first."
    ),
    "auth.set": A(
        "providers",
        "admin",
        "api key token login credentials provider save",
        'For a key, `body` is {"type": "api", "key": …}.',
    ),
    "auth.remove": A(
        "providers",
        "admin",
        "logout api key delete credentials provider",
        "Answers true even for an unknown provider.",
        destructive=True,
    ),
    "experimental.console.get": A("providers", "read", "organization account console"),
    "experimental.console.listOrgs": A("providers", "read", "organizations accounts console"),
    "experimental.console.switchOrg": A("providers", "admin", "organization account console change"),
    "v2.provider.list": A("providers", "read", "models llm"),
    "v2.provider.get": A("providers", "read", "models llm show"),
    "v2.model.list": A("providers", "read", "models llm available"),
    "v2.integration.list": A("providers", "read", "login connections services"),
    "v2.integration.get": A("providers", "read", "login connection show"),
    "v2.integration.connect.key": A("providers", "admin", "login api key save"),
    "v2.integration.connect.oauth": A("providers", "admin", "login sign in", _BROWSER),
    "v2.integration.attempt.status": A("providers", "read", "login progress oauth"),
    "v2.integration.attempt.cancel": A("providers", "admin", "login stop oauth"),
    "v2.integration.attempt.complete": A("providers", "admin", "login finish code oauth"),
    "v2.credential.update": A("providers", "admin", "rename key label"),
    "v2.credential.remove": A("providers", "admin", "delete key logout", destructive=True),
    # Configuration, and what it defines: agents, commands, skills, tools
    "config.get": A("config", "read", "settings options preferences opencode.json effective", _SECRETS),
    "config.update": A(
        "config",
        "admin",
        "settings change set preferences",
        f"{_ABORTS} OpenCode 1.18.33 does not read the file that it writes (config.json): use global.config.update.",
    ),
    "global.config.get": A(
        "config", "read", "settings options user wide", f"{_SECRETS} Settings of projects are not in it."
    ),
    "global.config.update": A("config", "admin", "settings change set user wide default model", _ABORTS),
    "app.agents": A(
        "config", "read", "agents modes build plan subagents", "Agents with `hidden` cannot be used for prompts."
    ),
    "app.skills": A("config", "read", "skills abilities instructions"),
    "command.list": A("config", "read", "slash commands templates"),
    "tool.ids": A("config", "read", "tools names available"),
    "tool.list": A("config", "read", "tools functions schemas parameters available"),
    "v2.agent.list": A("config", "read", "agents modes"),
    "v2.command.list": A("config", "read", "slash commands"),
    "v2.skill.list": A("config", "read", "skills"),
    "v2.reference.list": A("config", "read", "references repositories docs"),
    # MCP servers that OpenCode itself uses
    "mcp.status": A("mcp", "read", "list servers connected failed tools"),
    "mcp.add": A(
        "mcp",
        "admin",
        "new server install register connect",
        "It starts the command of a local server. It answers 200 even if that fails: mcp.status shows it. "
        "To keep the server, have opencode_run write an entry into the opencode.json of the project instead, or make "
        'that file: `"mcp": {"NAME": {"type": "local", "command": ["PROGRAM", "ARGUMENT"], "enabled": true}}`. '
        f"{CHANGES_LOADED[1]}",
    ),
    "mcp.connect": A(
        "mcp", "admin", "start enable server", "Answers true even if the connection failed: see mcp.status."
    ),
    "mcp.disconnect": A(
        "mcp",
        "admin",
        "stop disable remove delete server",
        "It is connected again when OpenCode opens the project anew, unless the configuration disables it.",
    ),
    "mcp.auth.start": A("mcp", "admin", "login sign in oauth", f"For remote servers only. {_BROWSER}"),
    "mcp.auth.callback": A("mcp", "admin", "login finish code oauth", "Call mcp.auth.start first."),
    "mcp.auth.authenticate": A("mcp", "admin", "login sign in oauth browser", "Blocks until the person has signed in."),
    "mcp.auth.remove": A("mcp", "admin", "logout credentials oauth delete", destructive=True),
    "experimental.resource.list": A("mcp", "read", "resources documents servers"),
    # Terminals
    "pty.list": A("terminal", "read", "terminals shells processes running"),
    "pty.create": A(
        "terminal",
        "execute",
        "terminal shell run command process console new open",
        "Only pty.connect types into it and reads its output. A terminal whose program has exited is removed at once.",
    ),
    "pty.get": A("terminal", "read", "terminal process status"),
    "pty.update": A("terminal", "execute", "terminal resize rows columns title"),
    "pty.remove": A("terminal", "execute", "terminal kill close stop process", destructive=True),
    "pty.shells": A("terminal", "read", "terminal bash zsh fish"),
    "pty.connect": A("terminal", "execute", "terminal attach type send keys input output websocket", _TERMINAL),
    "pty.connectToken": A(
        "terminal", "execute", "terminal ticket attach", "The ticket is valid once, for 60 s.", headers=_TICKET
    ),
    "v2.pty.list": A("terminal", "read", "terminals shells"),
    "v2.pty.create": A(
        "terminal", "execute", "terminal shell run command", "Only v2.pty.connect types into it and reads its output."
    ),
    "v2.pty.get": A("terminal", "read", "terminal process exit code"),
    "v2.pty.update": A("terminal", "execute", "terminal resize title"),
    "v2.pty.remove": A("terminal", "execute", "terminal kill close", destructive=True),
    "v2.pty.connect": A("terminal", "execute", "terminal attach input output", _TERMINAL),
    "v2.pty.connectToken": A("terminal", "execute", "terminal ticket", headers=_TICKET),
    # The terminal interface (TUI)
    "tui.appendPrompt": A("tui", "write", "type insert text input", _NO_TUI),
    "tui.clearPrompt": A("tui", "write", "empty input", _NO_TUI),
    "tui.submitPrompt": A("tui", "execute", "send enter input run", _NO_TUI),
    "tui.executeCommand": A("tui", "execute", "run action keybind", "Answers true even for an unknown command."),
    "tui.openHelp": A("tui", "write", "show keys", _NO_TUI),
    "tui.openModels": A("tui", "write", "choose model show", _NO_TUI),
    "tui.openSessions": A("tui", "write", "choose session show", _NO_TUI),
    "tui.openThemes": A("tui", "write", "choose colors show", f"{_NO_TUI} In 1.18.33 it shows the sessions instead."),
    "tui.publish": A("tui", "execute", "send event", _NO_TUI),
    "tui.selectSession": A("tui", "write", "show open switch session", _NO_TUI),
    "tui.showToast": A("tui", "write", "notify notification message popup alert", _NO_TUI),
    "tui.control.next": A("tui", "write", "queue request take", "Blocks until there is one."),
    "tui.control.response": A("tui", "write", "answer queue"),
    # Events
    "event.subscribe": A(
        "events",
        "read",
        "watch follow listen stream sse",
        "Ends when the instance is disposed. Missed events are not repeated.",
    ),
    "global.event": A(
        "events", "read", "watch follow listen stream sse all directories", "Missed events are not repeated."
    ),
    "sync.history.list": A(
        "events",
        "read",
        "event log replay since sequence missed durable",
        "The history of sessions that `body` does not name comes whole: name them with a high number.",
    ),
    "sync.start": A("events", "write", "workspace synchronize"),
    "sync.replay": A(
        "events",
        "admin",
        "workspace import history",
        "It replaces the session's history and its permission rules.",
        destructive=True,
    ),
    "sync.steal": A("events", "write", "workspace take move session"),
    "v2.event.subscribe": A("events", "read", "watch follow listen stream sse"),
    "v2.session.events": A("events", "read", "watch follow stream replay", SEPARATE_MESSAGES),
    "v2.session.history": A("events", "read", "event log durable page sequence", SEPARATE_MESSAGES),
    # System
    "global.health": A("system", "read", "version alive up ping status"),
    "global.dispose": A(
        "system", "admin", "stop server shut down restart reload reset everything", _ABORTS, destructive=True
    ),
    "global.upgrade": A(
        "system", "admin", "update version install", "Answers 400 if OpenCode does not know how it was installed."
    ),
    "instance.dispose": A(
        "system", "admin", "stop server shut down restart reload reset directory", _ABORTS, destructive=True
    ),
    "app.log": A("system", "write", "log line logging debug"),
    "lsp.status": A(
        "system", "read", "language servers diagnostics", "The answer is empty unless the configuration enables LSP."
    ),
    "formatter.status": A(
        "system", "read", "formatters prettier", "The answer is empty unless the configuration enables them."
    ),
    "experimental.capabilities.get": A("system", "read", "features flags supported"),
    "v2.health.get": A("system", "read", "alive up ping"),
}

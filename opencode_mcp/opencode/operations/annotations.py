"""What we think of each operation, kept by hand: where it belongs, what it does to the world, what to know first.

It knows no facts: methods, paths and arguments are in ``operations.json``. The effects are what an operator allows by:

- ``read`` only reads.
- ``write`` changes a session or what is shown, and runs nothing.
- ``execute`` runs a command, a model or a tool, or lets a waiting one go on. So does whatever writes files of the
  caller's choice: OpenCode's configuration, plugins, commands and git's hooks are files, and decide what is run and
  asked next.
- ``admin`` changes configuration, credentials, providers, MCP servers or the server's life, or publishes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Effect = Literal["read", "write", "execute", "admin"]
Group = Literal[
    "sessions",
    "messages",
    "files",
    "search",
    "requests",
    "project",
    "vcs",
    "worktrees",
    "providers",
    "config",
    "mcp",
    "terminal",
    "tui",
    "events",
    "system",
]


class Judgement(NamedTuple):
    """One operation's place in the table; ``catalog.Operation`` says what each field means."""

    group: Group
    effect: Effect
    hints: str = ""
    note: str = ""
    destructive: bool = False
    headers: Mapping[str, str] = MappingProxyType({})


J = Judgement

_V2 = "The v2 API keeps its messages apart: it sees nothing of what a v1 session said, nor v1 of this."
_ABORTS = "Disposes the instances it touches: their runs are aborted and their pending requests lost."
_SECRETS = "OpenCode answers with provider keys in it."
_SHUT = "Works only where the server runs with OPENCODE_EXPERIMENTAL_WORKSPACES=1."
_NO_TUI = "Answers true also when no terminal interface is attached."
_BROWSER = "The URL is for a person to open in a browser."
_WRITES = "It writes files, also those that decide what OpenCode runs and asks."
_TICKET = {"x-opencode-ticket": "1"}

JUDGEMENTS: Mapping[str, Judgement] = {
    # Sessions
    "session.list": J(
        "sessions", "read", "chats conversations recent", "The newest 100 of one directory; there is no cursor."
    ),
    "session.create": J(
        "sessions", "write", "new start open chat conversation", "`model` is {id, providerID} here, not modelID."
    ),
    "session.get": J("sessions", "read", "show chat details title cost tokens"),
    "session.update": J(
        "sessions",
        "write",
        "rename title archive unarchive metadata permission rules",
        "`time.archived` is in milliseconds since the epoch.",
    ),
    "session.delete": J(
        "sessions", "write", "remove chat erase", "A run is stopped first, with its subagents.", destructive=True
    ),
    "session.status": J(
        "sessions", "read", "busy idle running retry progress", "Lists only sessions that are busy or retrying."
    ),
    "session.children": J("sessions", "read", "subagents subtasks child parent"),
    "session.todo": J("sessions", "read", "todos tasks checklist plan"),
    "session.diff": J(
        "sessions",
        "read",
        "changes edits files changed patch",
        "Answers [] without `messageID`, which must be a user message's.",
    ),
    "session.fork": J(
        "sessions", "write", "branch copy duplicate clone", "Copies the messages before `messageID`; all without it."
    ),
    "session.abort": J(
        "sessions",
        "write",
        "stop cancel interrupt kill run",
        "Stops the subagents too. Answers true also for an idle session.",
    ),
    "session.share": J(
        "sessions", "admin", "publish public link url", "Publishes the conversation; offline it fails with a 500."
    ),
    "session.unshare": J("sessions", "write", "unpublish private stop sharing link"),
    "session.revert": J(
        "sessions",
        "write",
        "undo changes rollback restore files back",
        "Undoes from that message on; refused with 409 while the session is busy. Where it would change a file that "
        "decides what OpenCode runs and asks, it takes --allow execute.",
    ),
    "session.unrevert": J("sessions", "write", "redo undo revert restore", "As session.revert."),
    "session.summarize": J("sessions", "execute", "compact context shorten compress", "Runs the model and blocks."),
    "session.init": J(
        "sessions",
        "execute",
        "agents.md instructions onboard analyze",
        "Runs the model and blocks; `messageID` is new.",
    ),
    "experimental.session.list": J(
        "sessions",
        "read",
        "all projects every directory archived chats cursor page",
        "Without a directory, those of all projects. Pages by the reply's x-next-cursor header, as `cursor`.",
    ),
    "experimental.session.background": J(
        "sessions",
        "execute",
        "subagents detach continue",
        "A detached subagent goes on when the prompt that started it has ended.",
    ),
    "experimental.controlPlane.moveSession": J(
        "sessions",
        "execute",
        "move relocate directory folder",
        f"With `moveChanges` the uncommitted changes move along. {_WRITES}",
        destructive=True,
    ),
    "v2.session.list": J(
        "sessions", "read", "chats conversations page cursor", "Without a directory, those of all projects."
    ),
    "v2.session.create": J("sessions", "write", "new start chat", f"It ignores a title. {_V2}"),
    "v2.session.get": J("sessions", "read", "show chat details"),
    "v2.session.active": J("sessions", "read", "busy running status", _V2),
    "v2.session.switchAgent": J("sessions", "write", "change agent mode", _V2),
    "v2.session.switchModel": J("sessions", "write", "change model", _V2),
    "v2.session.compact": J("sessions", "execute", "summarize shorten context", _V2),
    "v2.session.wait": J("sessions", "read", "until idle done finished", "Answers 503: not available yet in 1.18.33."),
    "v2.session.revert.stage": J("sessions", "execute", "undo rollback preview", f"{_WRITES} {_V2}"),
    "v2.session.revert.clear": J("sessions", "execute", "redo cancel undo discard", f"{_WRITES} {_V2}"),
    "v2.session.revert.commit": J("sessions", "write", "undo apply keep", _V2, destructive=True),
    "v2.session.interrupt": J("sessions", "write", "abort stop cancel", _V2),
    # Messages
    "session.messages": J(
        "messages",
        "read",
        "transcript conversation history log answers",
        "`before` needs `limit`; a page that holds a prompt with `format` answers 400.",
    ),
    "session.message": J("messages", "read", "answer reply text parts", "A prompt with `format` answers 400."),
    "session.prompt": J(
        "messages",
        "execute",
        "ask chat say run task question",
        "Blocks until the run ends, and answers 200 also when the model failed: see `info.error`.",
    ),
    "session.prompt_async": J(
        "messages",
        "execute",
        "ask chat start run task background",
        "Answers before the agent and the model are checked; failures arrive as session.error events.",
    ),
    "session.command": J(
        "messages",
        "execute",
        "slash command run /init /review template",
        "`model` is a text, provider/model; `arguments` is required, and may be empty.",
    ),
    "session.shell": J(
        "messages",
        "execute",
        "bash run terminal line exec",
        "Does not tell the exit code; 409 while the session is busy.",
    ),
    "session.deleteMessage": J(
        "messages", "write", "remove erase", "Leaves the files as they are; 409 while busy.", destructive=True
    ),
    "part.update": J(
        "messages",
        "execute",
        "edit change text",
        "`body` is the whole part with its id, sessionID, messageID. A part of the type patch says which files an undo "
        "restores or deletes, and one of the type subtask is run by the next prompt.",
    ),
    "part.delete": J(
        "messages", "write", "remove erase piece", "Answers true also for an unknown part.", destructive=True
    ),
    "v2.session.prompt": J("messages", "execute", "ask chat run steer queue", _V2),
    "v2.session.context": J("messages", "read", "window active history", _V2),
    "v2.session.message": J("messages", "read", "answer reply", _V2),
    "v2.session.messages": J("messages", "read", "transcript conversation history", _V2),
    # Files
    "file.list": J("files", "read", "ls dir folder directory tree browse", "A folder that is not there answers 500."),
    "file.read": J(
        "files",
        "read",
        "cat open content show text",
        "A missing file reads as empty text, and a final newline is lost; a path outside the project answers 500.",
    ),
    "file.status": J("files", "read", "", "A stub that always answers []: use vcs.status."),
    "v2.fs.read": J("files", "read", "cat open content file raw"),
    "v2.fs.list": J("files", "read", "ls dir folder tree"),
    # Search
    "find.text": J("search", "read", "grep ripgrep content regex search code", "A bad pattern answers 500; needs rg."),
    "find.files": J(
        "search", "read", "glob locate filename path search", "Folders are among the hits: `type` is file."
    ),
    "find.symbols": J(
        "search", "read", "definition function class lsp", "A stub that always answers []: use find.text."
    ),
    "v2.fs.find": J("search", "read", "glob locate filename search"),
    # Requests: what waits for a person
    "permission.list": J(
        "requests",
        "read",
        "approval approvals waiting pending",
        "Of one directory; entries of aborted or deleted sessions stay in it.",
    ),
    "permission.reply": J(
        "requests",
        "execute",
        "approve allow deny accept confirm grant",
        "Needs the session's own directory; `always` holds for every session of the instance.",
    ),
    "permission.respond": J(
        "requests",
        "execute",
        "approve allow deny accept older",
        "The older form of permission.reply, without a message.",
    ),
    "question.list": J("requests", "read", "asked waiting pending"),
    "question.reply": J(
        "requests", "execute", "answer choose select option", "One list of labels for each question, in their order."
    ),
    "question.reject": J("requests", "write", "dismiss refuse skip cancel", "The run stops."),
    "v2.permission.request.list": J("requests", "read", "approval pending waiting", _V2),
    "v2.permission.saved.list": J("requests", "read", "remembered always allowed rules"),
    "v2.permission.saved.remove": J("requests", "admin", "forget revoke always rule", destructive=True),
    "v2.session.permission.create": J("requests", "write", "ask approval", _V2),
    "v2.session.permission.list": J("requests", "read", "approval pending", _V2),
    "v2.session.permission.get": J("requests", "read", "approval show", _V2),
    "v2.session.permission.reply": J("requests", "execute", "approve allow deny", _V2),
    "v2.question.request.list": J("requests", "read", "asked pending waiting", _V2),
    "v2.session.question.list": J("requests", "read", "asked pending", _V2),
    "v2.session.question.reply": J("requests", "execute", "answer choose", _V2),
    "v2.session.question.reject": J("requests", "write", "dismiss refuse", _V2),
    # Project
    "project.list": J("project", "read", "repositories known opened"),
    "project.current": J(
        "project", "read", "repository root this worktree", "Outside git the project is `global`, its worktree `/`."
    ),
    "project.update": J(
        "project", "admin", "rename icon name start script", "`commands.start` is run in each worktree that is made."
    ),
    "project.initGit": J(
        "project", "execute", "git init repository create", "It makes `.git`, with the hooks of git's template."
    ),
    "project.directories": J("project", "read", "folders copies checkouts"),
    "path.get": J("project", "read", "cwd home working directory where config folder", "Any directory is accepted."),
    "v2.location.get": J("project", "read", "cwd directory where"),
    # Version control
    "vcs.get": J("vcs", "read", "git branch current default head", "Empty outside git."),
    "vcs.status": J("vcs", "read", "git status modified changed uncommitted dirty files"),
    "vcs.diff": J("vcs", "read", "git diff changes patch uncommitted working tree branch"),
    "vcs.diff.raw": J("vcs", "read", "git diff changes patch text uncommitted"),
    "vcs.apply": J(
        "vcs", "execute", "git apply patch diff", f"{_WRITES} A patch that does not fit answers 400.", destructive=True
    ),
    # Worktrees, workspaces, project copies
    "worktree.list": J("worktrees", "read", "git worktrees sandboxes directories"),
    "worktree.create": J(
        "worktrees",
        "execute",
        "git worktree add new sandbox branch parallel",
        "Runs the project's start command in it; 400 outside git.",
    ),
    "worktree.remove": J(
        "worktrees",
        "write",
        "git worktree delete sandbox branch",
        "Answers true also for an unknown directory; 400 for the main one.",
        destructive=True,
    ),
    "worktree.reset": J(
        "worktrees",
        "execute",
        "git worktree clean discard sandbox",
        "Deletes untracked files, and runs the start command again; 400 for the main one.",
        destructive=True,
    ),
    "experimental.workspace.list": J("worktrees", "read", "workspace sandboxes remote"),
    "experimental.workspace.adapter.list": J("worktrees", "read", "workspace kinds types"),
    "experimental.workspace.create": J(
        "worktrees",
        "execute",
        "workspace new sandbox",
        f"{_SHUT} Elsewhere it fails after 5 seconds and leaves a git worktree behind. `type` is worktree.",
    ),
    "experimental.workspace.remove": J(
        "worktrees", "write", "workspace delete", "Answers nothing for an unknown id.", destructive=True
    ),
    "experimental.workspace.status": J("worktrees", "read", "workspace connected"),
    "experimental.workspace.syncList": J("worktrees", "write", "workspace refresh register"),
    "experimental.workspace.warp": J("worktrees", "execute", "workspace move session", f"{_WRITES} {_SHUT}"),
    "experimental.projectCopy.generateName": J("worktrees", "execute", "suggest branch title", "Runs the small model."),
    "v2.projectCopy.create": J(
        "worktrees", "execute", "make clone checkout duplicate", "Copies the project into `directory`."
    ),
    "v2.projectCopy.remove": J(
        "worktrees", "write", "delete checkout", "Removes the copy at `directory`.", destructive=True
    ),
    "v2.projectCopy.refresh": J("worktrees", "write", "update list", "Looks again for the project's copies."),
    # Providers and credentials
    "provider.list": J(
        "providers", "read", "models model llm available connected switch", f"{_SECRETS} Large: every known model."
    ),
    "config.providers": J("providers", "read", "models model llm default configured switch", _SECRETS),
    "provider.auth": J("providers", "read", "login sign in methods oauth key"),
    "provider.oauth.authorize": J("providers", "admin", "login sign in connect", _BROWSER),
    "provider.oauth.callback": J(
        "providers", "admin", "login sign in finish code", "Needs provider.oauth.authorize first."
    ),
    "auth.set": J(
        "providers",
        "admin",
        "api key token login credentials provider save",
        'For a key, `body` is {"type": "api", "key": …}.',
    ),
    "auth.remove": J(
        "providers",
        "admin",
        "logout api key delete credentials provider",
        "Answers true also for an unknown provider.",
        destructive=True,
    ),
    "experimental.console.get": J("providers", "read", "organization account console"),
    "experimental.console.listOrgs": J("providers", "read", "organizations accounts console"),
    "experimental.console.switchOrg": J("providers", "admin", "organization account console change"),
    "v2.provider.list": J("providers", "read", "models llm"),
    "v2.provider.get": J("providers", "read", "models llm show"),
    "v2.model.list": J("providers", "read", "models llm available"),
    "v2.integration.list": J("providers", "read", "login connections services"),
    "v2.integration.get": J("providers", "read", "login connection show"),
    "v2.integration.connect.key": J("providers", "admin", "login api key save"),
    "v2.integration.connect.oauth": J("providers", "admin", "login sign in", _BROWSER),
    "v2.integration.attempt.status": J("providers", "read", "login progress oauth"),
    "v2.integration.attempt.cancel": J("providers", "admin", "login stop oauth"),
    "v2.integration.attempt.complete": J("providers", "admin", "login finish code oauth"),
    "v2.credential.update": J("providers", "admin", "rename key label"),
    "v2.credential.remove": J("providers", "admin", "delete key logout", destructive=True),
    # Configuration, and what it defines: agents, commands, skills, tools
    "config.get": J("config", "read", "settings options preferences opencode.json effective", _SECRETS),
    "config.update": J(
        "config",
        "admin",
        "settings change set preferences",
        f"{_ABORTS} Writes config.json into the project, which 1.18.33 does not read back: use global.config.update.",
    ),
    "global.config.get": J(
        "config", "read", "settings options user wide", f"{_SECRETS} Only what the global file says."
    ),
    "global.config.update": J(
        "config", "admin", "settings change set user wide default model", f"{_ABORTS} Merges into the global file."
    ),
    "app.agents": J("config", "read", "agents modes build plan subagents", "Those with `hidden` are not for prompts."),
    "app.skills": J("config", "read", "skills abilities instructions"),
    "command.list": J("config", "read", "slash commands templates"),
    "tool.ids": J("config", "read", "tools names available"),
    "tool.list": J("config", "read", "tools functions schemas parameters available"),
    "v2.agent.list": J("config", "read", "agents modes"),
    "v2.command.list": J("config", "read", "slash commands"),
    "v2.skill.list": J("config", "read", "skills"),
    "v2.reference.list": J("config", "read", "references repositories docs"),
    # MCP servers that OpenCode itself uses
    "mcp.status": J("mcp", "read", "list servers connected failed tools"),
    "mcp.add": J(
        "mcp",
        "admin",
        "new server install register connect",
        "Starts a local server's command; gone after a dispose. A server that fails is still 200, its status `failed`.",
    ),
    "mcp.connect": J(
        "mcp", "admin", "start enable server", "Answers true also when the connection failed: see mcp.status."
    ),
    "mcp.disconnect": J("mcp", "admin", "stop disable server"),
    "mcp.auth.start": J("mcp", "admin", "login sign in oauth", f"Remote servers only. {_BROWSER}"),
    "mcp.auth.callback": J("mcp", "admin", "login finish code oauth", "Needs mcp.auth.start first."),
    "mcp.auth.authenticate": J(
        "mcp", "admin", "login sign in oauth browser", "Opens a browser on OpenCode's machine and blocks."
    ),
    "mcp.auth.remove": J("mcp", "admin", "logout credentials oauth delete", destructive=True),
    "experimental.resource.list": J("mcp", "read", "resources documents servers"),
    # Terminals
    "pty.list": J("terminal", "read", "terminals shells processes running"),
    "pty.create": J(
        "terminal",
        "execute",
        "terminal shell run command process console new open",
        "One that has exited is gone at once.",
    ),
    "pty.get": J("terminal", "read", "terminal process status"),
    "pty.update": J("terminal", "write", "terminal resize rows columns title"),
    "pty.remove": J("terminal", "write", "terminal kill close stop process", destructive=True),
    "pty.shells": J("terminal", "read", "terminal bash zsh fish"),
    "pty.connect": J("terminal", "execute", "terminal attach input output websocket"),
    "pty.connectToken": J(
        "terminal", "execute", "terminal ticket attach", "The ticket is for one use, and 60 s.", headers=_TICKET
    ),
    "v2.pty.list": J("terminal", "read", "terminals shells"),
    "v2.pty.create": J("terminal", "execute", "terminal shell run command"),
    "v2.pty.get": J("terminal", "read", "terminal process exit code"),
    "v2.pty.update": J("terminal", "write", "terminal resize title"),
    "v2.pty.remove": J("terminal", "write", "terminal kill close", destructive=True),
    "v2.pty.connect": J("terminal", "execute", "terminal attach input output"),
    "v2.pty.connectToken": J("terminal", "execute", "terminal ticket", headers=_TICKET),
    # The terminal interface (TUI)
    "tui.appendPrompt": J("tui", "write", "type insert text input", _NO_TUI),
    "tui.clearPrompt": J("tui", "write", "empty input", _NO_TUI),
    "tui.submitPrompt": J("tui", "execute", "send enter input run", _NO_TUI),
    "tui.executeCommand": J("tui", "execute", "run action keybind", "Answers true also for an unknown command."),
    "tui.openHelp": J("tui", "write", "show keys", _NO_TUI),
    "tui.openModels": J("tui", "write", "choose model show", _NO_TUI),
    "tui.openSessions": J("tui", "write", "choose session show", _NO_TUI),
    "tui.openThemes": J("tui", "write", "choose colors show", _NO_TUI),
    "tui.publish": J("tui", "execute", "send event", _NO_TUI),
    "tui.selectSession": J("tui", "write", "show open switch session", _NO_TUI),
    "tui.showToast": J("tui", "write", "notify notification message popup alert", _NO_TUI),
    "tui.control.next": J(
        "tui", "write", "queue request take", "Blocks until there is one, and takes it off the queue."
    ),
    "tui.control.response": J("tui", "write", "answer queue"),
    # Events
    "event.subscribe": J(
        "events", "read", "watch follow listen stream sse", "Of one directory; ends when it is disposed."
    ),
    "global.event": J("events", "read", "watch follow listen stream sse all directories", "Nothing is replayed."),
    "sync.history.list": J(
        "events",
        "read",
        "event log replay since sequence missed durable",
        "Sessions that `body` does not name come whole: name them with a high number.",
    ),
    "sync.start": J("events", "write", "workspace synchronize"),
    "sync.replay": J(
        "events",
        "admin",
        "workspace import history",
        "Rewrites the session's history, its rights too.",
        destructive=True,
    ),
    "sync.steal": J("events", "write", "workspace take move session"),
    "v2.event.subscribe": J("events", "read", "watch follow listen stream sse"),
    "v2.session.events": J("events", "read", "watch follow stream replay", _V2),
    "v2.session.history": J("events", "read", "event log durable page sequence", _V2),
    # System
    "global.health": J("system", "read", "version alive up ping status"),
    "global.dispose": J(
        "system", "admin", "stop server shut down restart reload reset everything", _ABORTS, destructive=True
    ),
    "global.upgrade": J(
        "system", "admin", "update version install", "400 where OpenCode cannot tell how it was installed."
    ),
    "instance.dispose": J(
        "system", "admin", "stop server shut down restart reload reset directory", _ABORTS, destructive=True
    ),
    "app.log": J("system", "write", "log line logging debug"),
    "lsp.status": J("system", "read", "language servers diagnostics", "Empty unless the configuration turns LSP on."),
    "formatter.status": J("system", "read", "formatters prettier", "Empty unless the configuration turns them on."),
    "experimental.capabilities.get": J("system", "read", "features flags supported"),
    "v2.health.get": J("system", "read", "alive up ping"),
}

"""Annotations of each operation of OpenCode 2, written by hand: group, effect, words to find it by, and notes.

Methods, paths and arguments are in ``operations.json``, descriptions in ``descriptions.py``, and the effects are
defined in ``annotation_types.py``. The notes come from the released contract and from measurements on a preview; none
has been seen on a released OpenCode 2.
"""

from collections.abc import Mapping

from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.opencode.tables.annotation_types import Annotation

A = Annotation

_SECRETS = "OpenCode's answer contains provider keys."
_BROWSER = "A person must open the URL in a browser."
_WRITES = "It writes files, including those that decide what OpenCode runs and asks permission for."
_LAST_PAGE = "The last page has a cursor too: stop at an empty page."
_BUSY = "In a busy session it changes the run that goes on."
_NOT_CHECKED = "A name that does not exist is accepted and fails at the next prompt."
_UNTIL_RESTART = "It lasts until OpenCode restarts."
_LASTING = "Experimental: it works only if server.info has `capabilities.persistentPty`."
_ELSE_SHELL = f"No operation types into it. {_LASTING} Where it does not, session.shell runs a command."
_TICKET = {"x-opencode-ticket": "1"}

ANNOTATIONS: Mapping[str, Annotation] = {
    # Sessions
    "session.list": A(
        "sessions",
        "read",
        "chats conversations recent all projects every directory children subagents subtasks",
        f"At most 50 without `limit`. {_LAST_PAGE}",
    ),
    "session.create": A(
        "sessions",
        "write",
        "new start open chat conversation",
        "Without `location` it works in the server's own directory. A symbolic link as directory records no changes. "
        f"The model of the agent is not used: name it in `model`. {_NOT_CHECKED}",
    ),
    "session.get": A("sessions", "read", "show chat details title cost tokens outcome"),
    "session.update": A("sessions", "write", "rename title archive unarchive metadata permission rules"),
    "session.remove": A(
        "sessions",
        "write",
        "delete chat erase",
        "A run of the session is stopped first, with its subagents.",
        destructive=True,
    ),
    "session.active": A(
        "sessions",
        "read",
        "busy idle running status progress",
        "A session that is not in the answer is idle. One that retries or waits for an answer is in it.",
    ),
    "session.wait": A(
        "sessions",
        "read",
        "until idle done finished",
        "Blocks, also while a request waits for an answer, and does not say how the run ended.",
    ),
    "session.interrupt": A(
        "sessions",
        "write",
        "stop abort cancel kill run",
        "It stops the subagents too. A message that has not begun stays in the inbox and runs with the next one. "
        "`resume` lets a model run.",
    ),
    "session.background": A(
        "sessions",
        "execute",
        "subagents detach continue",
        "They run on when the run has ended, and wake the session later.",
    ),
    "session.fork": A("sessions", "write", "branch copy duplicate clone"),
    "session.move": A("sessions", "execute", "relocate directory folder", "A run that goes on continues there."),
    "session.switchAgent": A("sessions", "write", "change agent mode", f"{_BUSY} {_NOT_CHECKED}"),
    "session.switchModel": A("sessions", "write", "change model variant llm", f"{_BUSY} {_NOT_CHECKED}"),
    "session.environment": A(
        "sessions", "execute", "env variables path shell set", "The environment decides which programs run."
    ),
    "session.compact": A("sessions", "execute", "summarize shorten context compress", "Returns before it is done."),
    "session.diff": A("sessions", "read", "changes edits files changed patch"),
    "session.revert.stage": A(
        "sessions",
        "write",
        "undo changes prompt rollback restore files back",
        "Answers 409 while the session is busy. The next prompt makes it final. It needs --allow execute if it would "
        "change a file that decides what OpenCode runs or asks permission for.",
    ),
    "session.revert.clear": A(
        "sessions",
        "write",
        "redo cancel undo discard unrevert restore",
        "The same limits hold as for session.revert.stage.",
    ),
    "session.revert.commit": A("sessions", "write", "undo apply keep final", destructive=True),
    "session.view": A("sessions", "write", "seen unread mark"),
    "session.stats": A(
        "sessions",
        "read",
        "statistics usage cost tokens tools activity",
        "Without `project`, the bridge names the project of the default directory.",
    ),
    "session.export": A("sessions", "read", "save download backup transfer whole transcript document"),
    "session.import": A(
        "sessions",
        "admin",
        "load restore backup transfer transcript document",
        "It sets the permission rules of the session and what an undo restores. A child needs its parent first.",
    ),
    "session.instructions.entry.list": A("sessions", "read", "system prompt instruction context"),
    "session.instructions.entry.put": A(
        "sessions",
        "execute",
        "system prompt instruction context add set",
        "A run that goes on gets it at its next step.",
    ),
    "session.instructions.entry.remove": A(
        "sessions", "execute", "system prompt instruction context delete", destructive=True
    ),
    # Messages
    "message.list": A(
        "messages",
        "read",
        "session messages transcript conversation history answers",
        f"The newest first without `order`; `limit` is 200 at most. Text that is being written is empty. {_LAST_PAGE}",
    ),
    "session.message.get": A("messages", "read", "answer reply text parts"),
    "session.context": A("messages", "read", "window active history"),
    "session.prompt": A(
        "messages",
        "execute",
        "ask chat say start run task question",
        "A busy session takes it into its run unless `delivery` is queue. Files are read at once, without a "
        "permission. An unknown model fails with an event only.",
    ),
    "session.synthetic": A("messages", "execute", "add note context program text", "Unless `resume` is false it runs."),
    "session.command": A(
        "messages",
        "execute",
        "slash command run template review init",
        "The answer has no message id. A command with an agent sets the session's agent for good.",
    ),
    "session.skill": A("messages", "execute", "ability use activate"),
    "session.shell": A(
        "messages", "execute", "bash run terminal command line exec", "May block until the command has ended."
    ),
    "session.generate": A("messages", "execute", "ask side question title summary text"),
    "generate.text": A("messages", "execute", "ask model complete completion stateless"),
    "session.inbox.list": A("messages", "read", "pending queue queued waiting parked prompts"),
    "session.inbox.cancel": A(
        "messages",
        "write",
        "withdraw remove pending queue queued prompt",
        "A message that has begun stays.",
    ),
    "session.inbox.update": A(
        "messages", "execute", "steer queue pending queued prompt now later", "`steer` starts a run."
    ),
    "voice.session": A(
        "messages",
        "admin",
        "speak talk audio realtime webrtc",
        "The answer contains a token for the provider, which is billed.",
    ),
    # Files
    "file.list": A(
        "files",
        "read",
        "ls dir folder directory tree browse fs",
        "It also lists folders outside of the project. Names of folders end with a slash.",
    ),
    "file.read": A("files", "read", "cat open content show text fs", "The path is relative to the project directory."),
    "file.write": A(
        "files", "execute", "save create content edit fs", f"{_WRITES} It replaces the file.", destructive=True
    ),
    # Search
    "file.find": A(
        "search",
        "read",
        "glob locate filename name path search fs",
        "It matches generously. The result contains folders, unless `type` is file.",
    ),
    "websearch.providers": A("search", "read", "web internet google services"),
    "websearch.query": A("search", "execute", "web internet google online", "The words go to the search service."),
    # Requests: what waits for a person
    "permission.request.list": A("requests", "read", "permissions approval approvals asked pending waiting"),
    "permission.list": A(
        "requests", "read", "session permissions approval pending waiting", "Those of its subagents are not in it."
    ),
    "permission.get": A("requests", "read", "approval show"),
    "permission.create": A("requests", "write", "ask approval"),
    "permission.reply": A(
        "requests",
        "execute",
        "approve allow deny accept confirm grant",
        "`always` holds for the project permanently. `reject` without a message ends the run.",
    ),
    "permission.saved.list": A("requests", "read", "remembered always allowed rules"),
    "permission.saved.update": A("requests", "admin", "change remembered always rule"),
    "permission.saved.remove": A("requests", "admin", "forget revoke always rule approval", destructive=True),
    "form.list": A("requests", "read", "questions asked waiting pending"),
    "session.form.list": A(
        "requests", "read", "questions asked waiting pending", "Those of its subagents are not in it."
    ),
    "session.form.get": A("requests", "read", "question show state fields"),
    "session.form.create": A("requests", "write", "ask question person"),
    "session.form.reply": A(
        "requests", "execute", "answer question choose select option", "An empty answer is accepted as no answer."
    ),
    "session.form.cancel": A("requests", "write", "reject question dismiss refuse skip", "The run may end."),
    # Project
    "project.list": A("project", "read", "repositories known opened"),
    "project.update": A(
        "project", "admin", "rename icon name start script", "OpenCode runs `commands.start` in each new worktree."
    ),
    "location.get": A(
        "project",
        "read",
        "working directory cwd where current project repository root",
        "Without a directory it answers for the server's own.",
    ),
    # Version control
    "vcs.get": A("vcs", "read", "git branch current default head"),
    "vcs.base": A("vcs", "read", "git merge base branch origin", "Null where it cannot be told."),
    "vcs.branch.list": A("vcs", "read", "git branches local remote"),
    "vcs.status": A("vcs", "read", "git status modified changed uncommitted dirty files", "Empty outside of git."),
    "vcs.diff": A("vcs", "read", "git diff changes patch uncommitted working tree branch"),
    "vcs.init": A("vcs", "execute", "git init repository create", "It creates `.git` with the template's hooks."),
    # Worktrees
    "worktree.list": A("worktrees", "read", "git worktrees checkouts directories copies"),
    "worktree.create": A(
        "worktrees",
        "execute",
        "git worktree add new sandbox branch parallel copy",
        "`from` and `directory` may be any directories.",
    ),
    "worktree.remove": A("worktrees", "execute", "git worktree delete sandbox copy", destructive=True),
    "worktree.refresh": A("worktrees", "write", "git worktree update discover"),
    # Providers, models and credentials
    "provider.list": A("providers", "read", "llm available connected configured", _SECRETS),
    "provider.get": A("providers", "read", "llm show settings", _SECRETS),
    "model.list": A("providers", "read", "models llm available", _SECRETS),
    "model.default": A(
        "providers",
        "read",
        "models llm standard",
        f"{_SECRETS} A configuration that cannot be read leaves a model in the cloud here, without an error.",
    ),
    "integration.list": A("providers", "read", "login sign in methods oauth key connections services providers"),
    "integration.get": A("providers", "read", "login sign in connection show"),
    "integration.connect.key": A("providers", "admin", "login sign in set api key token provider save"),
    "integration.connect.external": A("providers", "admin", "login sign in external credentials"),
    "integration.oauth.connect": A("providers", "admin", "login sign in start authorize", _BROWSER),
    "integration.oauth.status": A("providers", "read", "login sign in progress"),
    "integration.oauth.complete": A(
        "providers", "admin", "login sign in finish code callback", "Call integration.oauth.connect first."
    ),
    "integration.oauth.cancel": A("providers", "admin", "login sign in stop"),
    "integration.command.connect": A("providers", "admin", "login sign in start run program"),
    "integration.command.status": A("providers", "read", "login sign in progress output"),
    "integration.command.cancel": A("providers", "admin", "login sign in stop kill"),
    "integration.wellknown.add": A(
        "providers", "admin", "remote organization settings url", "What the website says becomes configuration."
    ),
    "credential.list": A("providers", "admin", "keys tokens secrets stored accounts", "The answer is the secrets."),
    "credential.create": A("providers", "admin", "add api key token secret store save"),
    "credential.update": A("providers", "admin", "rename key label"),
    "credential.activate": A("providers", "admin", "use switch key account"),
    "credential.remove": A("providers", "admin", "logout sign out delete api key token", destructive=True),
    # Configuration, and what it defines: agents, commands, skills, plugins
    "config.get": A(
        "config", "read", "settings options preferences opencode.json", f"{_SECRETS} The strongest document is last."
    ),
    "config.update": A("config", "admin", "settings change set preferences shell", "No other setting can be changed."),
    "agent.list": A(
        "config",
        "read",
        "modes build plan subagents",
        "Agents with `hidden` cannot be used for prompts.",
    ),
    "agent.get": A("config", "read", "mode show instructions"),
    "command.list": A("config", "read", "slash commands templates"),
    "skill.list": A("config", "read", "abilities instructions"),
    "reference.list": A("config", "read", "repositories docs"),
    "plugin.list": A("config", "read", "extensions installed"),
    "plugin.check": A("config", "read", "extensions newer version updates"),
    "plugin.update": A("config", "admin", "extensions upgrade install", "Plugins run with all rights of the user."),
    "rpc.call": A("config", "admin", "plugin function method", "What it does is up to the plugin."),
    # MCP servers that OpenCode itself uses
    "mcp.list": A("mcp", "read", "servers status connected failed tools"),
    "mcp.add": A(
        "mcp",
        "admin",
        "new server install register connect",
        "It starts the command of a local server. To keep the server, have opencode_run write an entry into the "
        'opencode.json of the project instead, or make that file: `"mcp": {"servers": {"NAME": {"type": "local", '
        f'"command": ["PROGRAM", "ARGUMENT"]}}}}}}`. {CHANGES_LOADED[2]}',
    ),
    "mcp.connect": A("mcp", "admin", "start enable server", _UNTIL_RESTART),
    "mcp.disconnect": A("mcp", "admin", "stop disable server", _UNTIL_RESTART),
    "mcp.remove": A("mcp", "admin", "delete server unregister", destructive=True),
    "mcp.resource.catalog": A("mcp", "read", "resources documents templates servers"),
    # Terminals and shell commands
    "pty.list": A("terminal", "read", "terminals processes running"),
    "pty.create": A(
        "terminal",
        "execute",
        "terminal shell run command process console new open type",
        "No operation types into it or reads its output. session.shell runs a command whose output can be read.",
    ),
    "pty.get": A("terminal", "read", "terminal process status exit code"),
    "pty.update": A("terminal", "execute", "terminal resize rows columns title"),
    "pty.remove": A("terminal", "execute", "terminal kill close stop process", destructive=True),
    "pty.connect.token": A(
        "terminal", "execute", "terminal ticket attach websocket", "The ticket is valid once.", headers=_TICKET
    ),
    "experimental.persistentPty.list": A("terminal", "read", "terminals session", _LASTING),
    "experimental.persistentPty.create": A("terminal", "execute", "terminal session shell run new open", _ELSE_SHELL),
    "experimental.persistentPty.get": A("terminal", "read", "terminal process status", _LASTING),
    "experimental.persistentPty.read": A("terminal", "read", "terminal screen output rows lines", _LASTING),
    "experimental.persistentPty.snapshot": A("terminal", "read", "terminal screen output", _LASTING),
    "experimental.persistentPty.update": A("terminal", "execute", "terminal resize rows columns", _LASTING),
    "experimental.persistentPty.remove": A("terminal", "execute", "terminal kill close", _LASTING, destructive=True),
    "experimental.persistentPty.connectToken": A(
        "terminal", "execute", "terminal ticket attach", _LASTING, headers=_TICKET
    ),
    "experimental.persistentPty.handoff": A(
        "terminal", "admin", "terminals transfer another server", f"The answer contains the ticket. {_LASTING}"
    ),
    "experimental.persistentPty.shutdown": A(
        "terminal", "admin", "terminals stop end all", f"All lasting terminals end. {_LASTING}", destructive=True
    ),
    "shell.list": A("terminal", "read", "commands processes background running", "Ended ones are not in it."),
    "shell.create": A("terminal", "execute", "bash run command exec background process"),
    "shell.get": A("terminal", "read", "command process status exit code"),
    "shell.output": A("terminal", "read", "command log stdout text"),
    "shell.remove": A("terminal", "execute", "command kill stop process", destructive=True),
    "config.shells": A("terminal", "read", "terminal bash zsh fish"),
    # Events
    "event.subscribe": A(
        "events",
        "read",
        "watch follow listen stream sse all directories",
        "Missed events are not repeated, and a slow reader is cut off.",
    ),
    "session.log": A(
        "events",
        "read",
        "events history durable replay sequence stream sse",
        "It has no text that is being written, no permission requests and no forms.",
    ),
    # System
    "server.info": A("system", "read", "version alive up ping health status"),
    "server.pair": A(
        "system", "admin", "pairing code device phone link", "Whoever has the code gets the rights of the password."
    ),
    "server.connect": A("system", "admin", "pairing code redeem token login", "The answer contains the token."),
    "location.reload": A(
        "system",
        "admin",
        "restart server reset dispose everything configuration again",
        "All permission requests and forms are cancelled; runs go on.",
        destructive=True,
    ),
    "debug.location.list": A("system", "read", "directories loaded instances open"),
    "debug.location.evict": A(
        "system",
        "admin",
        "dispose restart reload reset directory instance",
        "Permission requests and forms of the directory are lost, and their runs never continue.",
        destructive=True,
    ),
    "migration.v1.status": A("system", "read", "version 1 sessions import progress"),
}

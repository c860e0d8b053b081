"""Replacements for the operations of OpenCode 1 in OpenCode 2: which operations do the same, or why none does.

Callers know the ids of OpenCode 1 from documentation, from examples or from earlier calls. An id that both generations
have is here too, since it can mean something else: the note says what.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Replacement(NamedTuple):
    """Operations of OpenCode 2 in place of one operation of OpenCode 1."""

    operations: tuple[str, ...] = ()
    """Ids of operations of OpenCode 2, the nearest first; empty if nothing replaces it."""
    note: str = ""
    """The difference, or the reason why nothing replaces it."""


def _by(*operations: str, note: str = "") -> Replacement:
    return Replacement(operations, note)


def _none(note: str) -> Replacement:
    return Replacement((), note)


_ONE_SESSION = "permission.list and session.form.list list those of one session."
_NO_TUI = _none("OpenCode 2 has no operations for its terminal interface.")
_NO_WORKSPACES = _none("OpenCode 2 has no workspaces; worktrees are the nearest.")
_NO_CONSOLE = _none("OpenCode 2 has no operations for the Console.")
_NO_PARTS = _none(
    "Messages of OpenCode 2 cannot be changed or deleted one by one; session.revert.commit deletes a tail."
)
_NO_TOOLS = _none("OpenCode 2 does not list the tools of its agents.")
_NO_SHARING = _none("OpenCode 2 does not publish sessions.")
_NO_SYNC = _none("OpenCode 2 has no synchronization of workspaces.")
_NO_TEXT_SEARCH = _none("OpenCode 2 searches for files by name only.")
_SIGN_IN = "The service that belongs to the MCP server is in integration.list."
_ALSO_PROMPT = "session.prompt returns at once; session.wait blocks until the session is idle."
_DOCUMENTS = "It returns a list of documents, which are not merged."
_ONLY_SHELL = "It changes one setting, the shell; edit the configuration file for others."
PREVIEW = "v2."
"""Beginning of the ids of OpenCode 1's preview of this API."""
SAME_AS_IN_THE_PREVIEW = frozenset(
    {
        *("agent.list", "command.list", "credential.remove", "credential.update", "event.subscribe"),
        *("integration.connect.key", "integration.get", "integration.list", "location.get", "model.list"),
        *("permission.request.list", "permission.saved.list", "permission.saved.remove", "provider.get"),
        *("provider.list", "pty.create", "pty.get", "pty.list", "pty.remove", "pty.update", "reference.list"),
        *("session.active", "session.compact", "session.context", "session.create", "session.get"),
        *("session.interrupt", "session.list", "session.prompt", "session.revert.clear", "session.revert.commit"),
        *("session.revert.stage", "session.switchAgent", "session.switchModel", "session.wait", "skill.list"),
    }
)
"""Ids of OpenCode 2 that the preview has too, behind ``v2.``."""
REPLACEMENTS: Mapping[str, Replacement] = {
    # Agents, skills, commands, tools
    "app.agents": _by("agent.list"),
    "app.skills": _by("skill.list"),
    "command.list": _by("command.list", note="It does not return the templates."),
    "tool.ids": _NO_TOOLS,
    "tool.list": _NO_TOOLS,
    # The server
    "app.log": _none("OpenCode 2 takes no lines for its log."),
    "event.subscribe": _by("event.subscribe", note="Its events have other names, and it covers all directories."),
    "global.event": _by("event.subscribe", note="Its events have other names."),
    "global.health": _by("server.info"),
    "global.dispose": _by("location.reload", note="Runs go on."),
    "global.upgrade": _none("OpenCode 2 does not upgrade itself on request."),
    "instance.dispose": _by("debug.location.evict", note="Runs go on, but what they have asked is lost."),
    "experimental.capabilities.get": _by("server.info"),
    "formatter.status": _none("OpenCode 2 does not list its formatters."),
    "lsp.status": _none("OpenCode 2 does not list its language servers."),
    "sync.history.list": _by("session.log"),
    "sync.replay": _by("session.import"),
    "sync.start": _NO_SYNC,
    "sync.steal": _NO_SYNC,
    # Configuration, providers and credentials
    "config.get": _by("config.get", note=_DOCUMENTS),
    "config.update": _by("config.update", note=_ONLY_SHELL),
    "global.config.get": _by("config.get", note=_DOCUMENTS),
    "global.config.update": _by("config.update", note=_ONLY_SHELL),
    "config.providers": _by("provider.list", "model.list", "model.default"),
    "provider.list": _by("provider.list", "model.list", note="They list what can be used, not all that is known."),
    "provider.auth": _by("integration.list"),
    "provider.oauth.authorize": _by("integration.oauth.connect"),
    "provider.oauth.callback": _by("integration.oauth.complete", "integration.oauth.status"),
    "auth.set": _by("integration.connect.key", "credential.create"),
    "auth.remove": _by("credential.remove", note="It takes the credential's id from integration.get."),
    "experimental.console.get": _NO_CONSOLE,
    "experimental.console.listOrgs": _NO_CONSOLE,
    "experimental.console.switchOrg": _NO_CONSOLE,
    # Files, search, version control
    "file.list": _by("file.list", note="Names of folders end with a slash."),
    "file.read": _by("file.read", note="It returns bytes."),
    "file.status": _by("vcs.status"),
    "find.files": _by("file.find"),
    "find.text": _NO_TEXT_SEARCH,
    "find.symbols": _NO_TEXT_SEARCH,
    "vcs.get": _by("vcs.get", "vcs.base"),
    "vcs.status": _by("vcs.status"),
    "vcs.diff": _by("vcs.diff", note="Its modes are working, branch and committed."),
    "vcs.diff.raw": _by("vcs.diff", note="It returns a patch per file."),
    "vcs.apply": _none("OpenCode 2 applies no patches; file.write replaces a whole file."),
    # Projects and worktrees
    "path.get": _by("location.get", note="It does not show the home and configuration folders."),
    "project.current": _by("location.get"),
    "project.list": _by("project.list"),
    "project.update": _by("project.update"),
    "project.directories": _by("worktree.list"),
    "project.initGit": _by("vcs.init"),
    "worktree.create": _by("worktree.create", note="It takes the project's id."),
    "worktree.list": _by("worktree.list", note="It takes the project's id."),
    "worktree.remove": _by("worktree.remove", note="It takes the project's id, and needs `force`."),
    "worktree.reset": _none("Remove the worktree and create it again."),
    "experimental.workspace.adapter.list": _NO_WORKSPACES,
    "experimental.workspace.create": _NO_WORKSPACES,
    "experimental.workspace.list": _NO_WORKSPACES,
    "experimental.workspace.remove": _NO_WORKSPACES,
    "experimental.workspace.status": _NO_WORKSPACES,
    "experimental.workspace.syncList": _NO_WORKSPACES,
    "experimental.workspace.warp": _NO_WORKSPACES,
    "experimental.controlPlane.moveSession": _by("session.move", note="It moves no uncommitted changes."),
    "experimental.projectCopy.generateName": _by("generate.text"),
    # MCP servers of OpenCode
    "mcp.status": _by("mcp.list"),
    "mcp.add": _by("mcp.add"),
    "mcp.connect": _by("mcp.connect"),
    "mcp.disconnect": _by("mcp.disconnect"),
    "mcp.auth.start": _by("integration.oauth.connect", note=_SIGN_IN),
    "mcp.auth.authenticate": _by("integration.oauth.connect", "integration.oauth.status", note=_SIGN_IN),
    "mcp.auth.callback": _by("integration.oauth.complete", note=_SIGN_IN),
    "mcp.auth.remove": _by("credential.remove", note=_SIGN_IN),
    "experimental.resource.list": _by("mcp.resource.catalog"),
    # Requests
    "permission.list": _by("permission.request.list", note=f"It lists those of a directory; {_ONE_SESSION}"),
    "permission.reply": _by(
        "permission.reply", note="It takes the session's id and `decision`; `always` is permanent."
    ),
    "permission.respond": _by("permission.reply", note="`decision` has the reply; `always` is permanent."),
    "question.list": _by("form.list", note=f"Questions are forms; {_ONE_SESSION}"),
    "question.reply": _by("session.form.reply", note="`answer` has a value for each field by its key."),
    "question.reject": _by("session.form.cancel"),
    # Sessions
    "session.list": _by("session.list", note="It lists all directories unless `directory` names one."),
    "experimental.session.list": _by("session.list"),
    "session.children": _by("session.list", note="`parentID` names the session."),
    "session.create": _by("session.create", note="`location` names the directory; rules are in `permissions`."),
    "session.get": _by("session.get"),
    "session.update": _by("session.update", note="`archived` is true or false; rules are in `permissions`."),
    "session.delete": _by("session.remove"),
    "session.status": _by("session.active", note="It covers all directories and does not show a retry."),
    "session.abort": _by("session.interrupt"),
    "session.diff": _by("session.diff", note="`from` names the user message."),
    "session.fork": _by("session.fork", note="`before` names the message."),
    "session.revert": _by("session.revert.stage"),
    "session.unrevert": _by("session.revert.clear"),
    "session.summarize": _by("session.compact", note="It uses the session's model and does not block."),
    "session.init": _by("session.command", note="The command is named init."),
    "session.share": _NO_SHARING,
    "session.unshare": _NO_SHARING,
    "session.todo": _none("OpenCode 2 keeps no todo list."),
    "experimental.session.background": _by("session.background"),
    # Messages
    "session.messages": _by("message.list"),
    "session.message": _by("session.message.get"),
    "session.prompt": _by("session.prompt", "session.wait", note=f"{_ALSO_PROMPT} `text` takes the place of `parts`."),
    "session.prompt_async": _by(
        "session.prompt", note="`text` takes the place of `parts`; agent and model are the session's."
    ),
    "session.command": _by("session.command", note="It takes `name` and `text`, and returns at once."),
    "session.shell": _by("session.shell", note="It takes no agent and no model."),
    "session.deleteMessage": _NO_PARTS,
    "part.delete": _NO_PARTS,
    "part.update": _NO_PARTS,
    # Terminals
    "pty.list": _by("pty.list"),
    "pty.create": _by("pty.create"),
    "pty.get": _by("pty.get"),
    "pty.update": _by("pty.update"),
    "pty.remove": _by("pty.remove"),
    "pty.shells": _by("config.shells"),
    "pty.connect": _none("pty.connect.token makes the ticket; the connection itself is not in the contract."),
    "pty.connectToken": _by("pty.connect.token"),
    # The terminal interface (TUI)
    "tui.appendPrompt": _NO_TUI,
    "tui.clearPrompt": _NO_TUI,
    "tui.submitPrompt": _NO_TUI,
    "tui.executeCommand": _NO_TUI,
    "tui.openHelp": _NO_TUI,
    "tui.openModels": _NO_TUI,
    "tui.openSessions": _NO_TUI,
    "tui.openThemes": _NO_TUI,
    "tui.publish": _NO_TUI,
    "tui.selectSession": _NO_TUI,
    "tui.showToast": _NO_TUI,
    "tui.control.next": _NO_TUI,
    "tui.control.response": _NO_TUI,
    # The preview of this API in OpenCode 1, as far as the rest of an id has changed
    "v2.fs.find": _by("file.find"),
    "v2.fs.list": _by("file.list"),
    "v2.fs.read": _by("file.read"),
    "v2.health.get": _by("server.info"),
    "v2.integration.attempt.cancel": _by("integration.oauth.cancel"),
    "v2.integration.attempt.complete": _by("integration.oauth.complete"),
    "v2.integration.attempt.status": _by("integration.oauth.status"),
    "v2.integration.connect.oauth": _by("integration.oauth.connect"),
    "v2.projectCopy.create": _by("worktree.create"),
    "v2.projectCopy.refresh": _by("worktree.refresh"),
    "v2.projectCopy.remove": _by("worktree.remove"),
    "v2.pty.connect": _none("pty.connect.token makes the ticket; the connection itself is not in the contract."),
    "v2.pty.connectToken": _by("pty.connect.token"),
    "v2.question.request.list": _by("form.list"),
    "v2.session.events": _by("session.log"),
    "v2.session.history": _by("session.log"),
    "v2.session.message": _by("session.message.get"),
    "v2.session.messages": _by("message.list"),
    "v2.session.permission.create": _by("permission.create"),
    "v2.session.permission.get": _by("permission.get"),
    "v2.session.permission.list": _by("permission.list"),
    "v2.session.permission.reply": _by("permission.reply"),
    "v2.session.question.list": _by("session.form.list"),
    "v2.session.question.reject": _by("session.form.cancel"),
    "v2.session.question.reply": _by("session.form.reply"),
}


def replacement(operation_id: str) -> Replacement | None:
    """Return what replaces an operation of OpenCode 1; None if the id is not one of OpenCode 1."""
    if operation_id.removeprefix(PREVIEW) in SAME_AS_IN_THE_PREVIEW and operation_id.startswith(PREVIEW):
        return Replacement((operation_id.removeprefix(PREVIEW),))
    return REPLACEMENTS.get(operation_id)


def replaced_by(operation_id: str) -> tuple[str, ...]:
    """Return the ids of OpenCode 1 that an operation of OpenCode 2 replaces before others; its preview is left out."""
    return tuple(old for old, found in REPLACEMENTS.items() if _comes_first(old, found, operation_id))


def _comes_first(old: str, found: Replacement, operation_id: str) -> bool:
    return not old.startswith(PREVIEW) and found.operations[:1] == (operation_id,)


def advice(operation_id: str) -> str:
    """Say what to use in place of an operation of OpenCode 1; empty if the id is not one of OpenCode 1."""
    found = replacement(operation_id)
    if found is None:
        return ""
    if operation_id in found.operations:
        return found.note
    has = f"has {' and '.join(found.operations)} instead" if found.operations else "has nothing in its place"
    return f"{operation_id} is an operation of OpenCode 1; OpenCode 2 {has}. {found.note}".rstrip()

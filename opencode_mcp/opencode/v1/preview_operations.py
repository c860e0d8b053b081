"""Operations of OpenCode 1 in place of those of its next API, a preview whose ids begin with ``v2.``.

Runs and sessions of the bridge use the operations here; the preview keeps some data of its own. Ids of the preview that
are missing here have nothing in their place.
"""

from collections.abc import Mapping

INSTEAD: Mapping[str, str] = {
    "v2.agent.list": "app.agents",
    "v2.command.list": "command.list",
    "v2.event.subscribe": "global.event",
    "v2.fs.find": "find.files",
    "v2.fs.list": "file.list",
    "v2.fs.read": "file.read",
    "v2.health.get": "global.health",
    "v2.location.get": "path.get",
    "v2.model.list": "config.providers",
    "v2.permission.request.list": "permission.list",
    "v2.projectCopy.create": "worktree.create",
    "v2.projectCopy.remove": "worktree.remove",
    "v2.provider.get": "provider.list",
    "v2.provider.list": "provider.list",
    "v2.pty.connect": "pty.connect",
    "v2.pty.connectToken": "pty.connectToken",
    "v2.pty.create": "pty.create",
    "v2.pty.get": "pty.get",
    "v2.pty.list": "pty.list",
    "v2.pty.remove": "pty.remove",
    "v2.pty.update": "pty.update",
    "v2.question.request.list": "question.list",
    "v2.session.active": "session.status",
    "v2.session.compact": "session.summarize",
    "v2.session.create": "session.create",
    "v2.session.events": "event.subscribe",
    "v2.session.get": "session.get",
    "v2.session.interrupt": "session.abort",
    "v2.session.list": "session.list",
    "v2.session.message": "session.message",
    "v2.session.messages": "session.messages",
    "v2.session.permission.list": "permission.list",
    "v2.session.permission.reply": "permission.reply",
    "v2.session.prompt": "session.prompt",
    "v2.session.question.list": "question.list",
    "v2.session.question.reject": "question.reject",
    "v2.session.question.reply": "question.reply",
    "v2.session.revert.clear": "session.unrevert",
    "v2.session.revert.stage": "session.revert",
    "v2.skill.list": "app.skills",
}

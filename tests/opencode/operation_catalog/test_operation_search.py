"""The operation that a person means comes first: the ranking is tested with the words of people."""

from opencode_mcp.opencode.operation_catalog.catalog import V1, V2, advice, lacking
from opencode_mcp.opencode.operation_catalog.operation_search import corrections, search, unknown_words
from opencode_mcp.opencode.tables.operation_table import OperationTable
from tests.harness.each import for_each

FIRST = {
    "rename session": "session.update",
    "archive a session": "session.update",
    "undo changes": "session.revert",
    "redo": "session.unrevert",
    "list providers": "provider.list",
    "models": "provider.list",
    "switch model": "provider.list",
    "add mcp server": "mcp.add",
    "mcp status": "mcp.status",
    "todo": "session.todo",
    "share": "session.share",
    "git branch": "vcs.get",
    "git status": "vcs.status",
    "changed files": "vcs.status",
    "apply a patch": "vcs.apply",
    "log": "app.log",
    "worktree": "worktree.list",
    "create a worktree": "worktree.create",
    "stop the server": "global.dispose",
    "stop a run": "session.abort",
    "which sessions are busy": "session.status",
    "list sessions": "session.list",
    "subtasks": "session.children",
    "send a message": "session.prompt",
    "conversation history": "session.messages",
    "summarize": "session.summarize",
    "run a shell command": "session.shell",
    "slash commands": "command.list",
    "approve permission": "permission.reply",
    "answer a question": "question.reply",
    "set api key": "auth.set",
    "logout": "auth.remove",
    "settings": "config.get",
    "change settings": "config.update",
    "agents": "app.agents",
    "grep": "find.text",
    "find file by name": "find.files",
    "read a file": "file.read",
    "list a directory": "file.list",
    "open a terminal": "pty.create",
    "resize the terminal": "pty.update",
    "show a toast": "tui.showToast",
    "version": "global.health",
    "working directory": "path.get",
    "v2 list sessions": "v2.session.list",
    "session.prompt_async": "session.prompt_async",
    "show the messages of a session": "session.messages",
    "undo the last prompt": "session.revert",
    "which mcp servers are connected": "mcp.status",
    "abort a running session": "session.abort",
    "what is the current branch": "vcs.get",
}
AMONG_THE_FIRST_FOUR = {
    "terminal": "pty.create",
    "models": "config.providers",
    "watch events": "event.subscribe",
    "fork": "session.fork",
    "oauth": "provider.oauth.authorize",
    "undo": "session.revert",
    "stop server": "instance.dispose",
}


FIRST_OF_OPENCODE_2 = {
    "rename session": "session.update",
    "archive a session": "session.update",
    "delete session": "session.remove",
    "undo changes": "session.revert.stage",
    "redo": "session.revert.clear",
    "list sessions": "session.list",
    "subtasks": "session.list",
    "which sessions are busy": "session.active",
    "stop a run": "session.interrupt",
    "abort": "session.interrupt",
    "wait until done": "session.wait",
    "send a message": "session.prompt",
    "conversation history": "message.list",
    "queued prompts": "session.inbox.list",
    "summarize": "session.compact",
    "export a session": "session.export",
    "usage statistics": "session.stats",
    "slash commands": "command.list",
    "skills": "skill.list",
    "plugins": "plugin.list",
    "list providers": "provider.list",
    "models": "model.list",
    "default model": "model.default",
    "switch model": "session.switchModel",
    "change the agent": "session.switchAgent",
    "set api key": "integration.connect.key",
    "logout": "credential.remove",
    "settings": "config.get",
    "change settings": "config.update",
    "add mcp server": "mcp.add",
    "mcp status": "mcp.list",
    "approve permission": "permission.reply",
    "answer a question": "session.form.reply",
    "pending questions": "form.list",
    "git status": "vcs.status",
    "changed files": "vcs.status",
    "worktree": "worktree.list",
    "create a worktree": "worktree.create",
    "find file by name": "file.find",
    "read a file": "file.read",
    "write a file": "file.write",
    "list a directory": "file.list",
    "search the web": "websearch.query",
    "open a terminal": "pty.create",
    "resize the terminal": "pty.update",
    "watch events": "event.subscribe",
    "restart the server": "location.reload",
    "version": "server.info",
    "working directory": "location.get",
    "show the messages of a session": "message.list",
    "undo the last prompt": "session.revert.stage",
    "which mcp servers are connected": "mcp.list",
    "which agents are there": "agent.list",
    "abort a running session": "session.interrupt",
    "type into a terminal": "pty.create",
}
AMONG_THE_FIRST_FOUR_OF_OPENCODE_2 = {
    "git branch": "vcs.get",
    "run a shell command": "session.shell",
    "agents": "agent.list",
    "diff": "session.diff",
    "fork": "session.fork",
    "oauth": "integration.oauth.connect",
}


VERBS = {
    "terminal create": "pty.create",
    "make a terminal": "pty.create",
    "terminate terminal": "pty.remove",
    "close terminal": "pty.remove",
    "type into a terminal": "pty.connect",
    "add an MCP server": "mcp.add",
    "remove mcp server": "mcp.disconnect",
    "disable mcp server": "mcp.disconnect",
    "change session title": "session.update",
    "unarchive session": "session.update",
    "remove session": "session.delete",
    "erase a chat": "session.delete",
    "kill run": "session.abort",
    "cancel a run": "session.abort",
    "new session": "session.create",
    "duplicate session": "session.fork",
    "remove a message": "session.deleteMessage",
    "make worktree": "worktree.create",
    "delete worktree": "worktree.remove",
    "edit a file": "vcs.apply",
    "deny permission": "permission.reply",
    "forget an approval": "v2.permission.saved.remove",
    "decline question": "question.reject",
    "log in to a provider": "provider.auth",
    "delete api key": "auth.remove",
    "execute shell command": "session.shell",
    "move session to another project": "experimental.controlPlane.moveSession",
    "compress conversation": "session.summarize",
    "publish session": "session.share",
}
"""A verb and a noun of a caller's choice, which need not be those of the table."""
VERBS_OF_OPENCODE_2 = {
    "terminal create": "pty.create",
    "make a terminal": "pty.create",
    "terminate terminal": "pty.remove",
    "close terminal": "pty.remove",
    "add an MCP server": "mcp.add",
    "erase mcp server": "mcp.remove",
    "disable mcp server": "mcp.disconnect",
    "change session title": "session.update",
    "unarchive session": "session.update",
    "remove session": "session.remove",
    "erase a chat": "session.remove",
    "kill run": "session.interrupt",
    "cancel a run": "session.interrupt",
    "new session": "session.create",
    "duplicate session": "session.fork",
    "download session": "session.export",
    "make worktree": "worktree.create",
    "delete worktree": "worktree.remove",
    "edit a file": "file.write",
    "deny permission": "permission.reply",
    "forget an approval": "permission.saved.remove",
    "decline question": "session.form.cancel",
    "log in to a provider": "integration.list",
    "store api key": "credential.create",
    "delete api key": "credential.remove",
    "move session to another project": "session.move",
    "compress conversation": "session.compact",
}


@for_each(("words", "expected"), VERBS.items())
def test_a_verb_of_the_same_meaning_finds_the_operation(words: str, expected: str) -> None:
    assert [item.id for item in search(V1, words)][:1] == [expected]


@for_each(("words", "expected"), VERBS_OF_OPENCODE_2.items())
def test_a_verb_of_the_same_meaning_finds_the_operation_of_opencode_2(words: str, expected: str) -> None:
    assert [item.id for item in search(V2, words)][:1] == [expected]


@for_each(("words", "expected"), FIRST_OF_OPENCODE_2.items())
def test_the_operation_of_opencode_2_that_is_meant_comes_first(words: str, expected: str) -> None:
    assert [item.id for item in search(V2, words)][:1] == [expected]


@for_each(("words", "expected"), AMONG_THE_FIRST_FOUR_OF_OPENCODE_2.items())
def test_the_operation_of_opencode_2_that_is_meant_is_among_the_first(words: str, expected: str) -> None:
    assert expected in [item.id for item in search(V2, words, limit=4)]


@for_each(("words", "expected"), FIRST.items())
def test_the_operation_that_is_meant_comes_first(words: str, expected: str) -> None:
    assert [item.id for item in search(V1, words)][:1] == [expected]


@for_each(("words", "expected"), AMONG_THE_FIRST_FOUR.items())
def test_the_operation_that_is_meant_is_among_the_first(words: str, expected: str) -> None:
    assert expected in [item.id for item in search(V1, words, limit=4)]


@for_each("table", (V1, V2))
def test_an_operation_is_found_by_its_own_id(table: OperationTable) -> None:
    assert [name for name in table.operations if search(table, name)[0].id != name] == []


def test_a_group_and_an_effect_narrow_the_search() -> None:
    found = search(V1, "terminal", group="terminal", effect="execute")
    assert found
    assert {(item.group, item.effect) for item in found} == {("terminal", "execute")}


def test_no_words_give_all_of_a_group() -> None:
    assert [item.id for item in search(V1, "", group="search")] == [
        "find.files",
        "find.symbols",
        "find.text",
        "v2.fs.find",
    ]


def test_no_more_are_given_than_asked_for() -> None:
    assert len(search(V1, "session", limit=3)) == 3


@for_each(
    ("words", "taken"),
    {"sesion": "session", "sesions": "session", "frok": "fork", "list permision": "permission"}.items(),
)
def test_a_mistyped_word_is_read_as_the_one_that_resembles_it(words: str, taken: str) -> None:
    for table in (V1, V2):
        assert corrections(table, words) == {words.rsplit(maxsplit=1)[-1]: taken}
        found = search(table, words, limit=3)
        assert found
        assert taken in f"{found[0].id} {found[0].hints}"


@for_each("words", ("list sessions", "weather today", "xylophone", "kubernetes", "zz", ""))
def test_a_word_that_is_known_or_resembles_none_is_read_as_it_is(words: str) -> None:
    assert corrections(V1, words) == {}


def test_words_that_mean_nothing_here_find_nothing() -> None:
    assert search(V1, "xylophone") == []


def test_what_only_opencode_1_can_do_is_known() -> None:
    assert lacking(V2, "share a session") == "session.share"
    assert lacking(V2, "lsp status") == "lsp.status"
    assert "does not publish sessions" in advice(V2, "session.share")
    for words in ("search the web", "write a file", "rename a session", "xylophone", ""):
        assert lacking(V2, words) == ""
    assert lacking(V1, "export a session") == ""
    assert unknown_words(V1, "export a session") == ["export"]
    assert unknown_words(V1, "rename a sesion") == []


def test_a_preview_is_left_out_beside_the_operation_to_use() -> None:
    found = [item.id for item in search(V1, "approve a permission")]
    assert found[0] == "permission.reply"
    assert "v2.session.permission.reply" not in found

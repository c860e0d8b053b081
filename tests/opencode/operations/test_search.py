"""What a person asks for comes first: the ranking is held by what people say."""

import pytest

from opencode_mcp.opencode.operations.catalog import operations
from opencode_mcp.opencode.operations.search import search
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


@for_each(("words", "expected"), FIRST.items())
def test_the_operation_that_is_meant_comes_first(words: str, expected: str) -> None:
    assert [item.id for item in search(words)][:1] == [expected]


@pytest.mark.parametrize(("words", "expected"), AMONG_THE_FIRST_FOUR.items())
def test_the_operation_that_is_meant_is_among_the_first(words: str, expected: str) -> None:
    assert expected in [item.id for item in search(words, limit=4)]


@for_each("operation_id", operations())
def test_an_operation_is_found_by_its_own_id(operation_id: str) -> None:
    assert search(operation_id)[0].id == operation_id


def test_a_group_and_an_effect_narrow_the_search() -> None:
    found = search("terminal", group="terminal", effect="execute")
    assert found
    assert {(item.group, item.effect) for item in found} == {("terminal", "execute")}


def test_no_words_give_all_of_a_group() -> None:
    assert [item.id for item in search("", group="search")] == ["find.files", "find.symbols", "find.text", "v2.fs.find"]


def test_no_more_are_given_than_asked_for() -> None:
    assert len(search("session", limit=3)) == 3


def test_words_that_mean_nothing_here_find_nothing() -> None:
    assert search("xylophone") == []

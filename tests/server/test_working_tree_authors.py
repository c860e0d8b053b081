"""The sessions that changed the files of a working tree."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.diffs.authorship import Period, WriteCall
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.server.changes.working_tree_authors import TreeAuthor, read_tree_authors, tree_note

pytestmark = pytest.mark.anyio


async def test_a_session_whose_work_was_brought_back_twice_is_named_once() -> None:
    async def brought(directory: str, period: Period) -> list[WriteCall]:
        del period
        paths = (f"{directory}/a.txt", f"{directory}/b.txt")
        return [WriteCall("ses_1", "Work", Period(0, 1), frozenset({path}), is_open=False) for path in paths]

    async def no_sessions(*_arguments: object) -> SimpleNamespace:
        return SimpleNamespace(items=[])

    def serves(_uses: object) -> bool:
        return True

    bridge = SimpleNamespace(
        allowed=SimpleNamespace(serves=serves),
        settings=SimpleNamespace(remote=True),
        client=SimpleNamespace(all_sessions=no_sessions),
        runs=SimpleNamespace(other_work=brought),
    )
    diffs = [FileDiff.read({"file": name, "additions": 1, "deletions": 0}) for name in ("a.txt", "b.txt")]
    authors = await read_tree_authors(cast("Any", bridge), "/p", diffs)
    assert [(author.session_id, author.files) for author in authors] == [("ses_1", {"a.txt", "b.txt"})]
    assert tree_note(authors, diffs).count("ses_1") == 1


def test_a_note_says_that_changes_are_not_committed_and_what_is_only_maybe_of_a_session() -> None:
    diffs = [FileDiff.read({"file": name, "additions": 1, "deletions": 0}) for name in ("a.txt", "b.txt", "c.txt")]
    authors = [
        TreeAuthor("ses_1", "One", frozenset({"a.txt"}), frozenset()),
        TreeAuthor("ses_2", "Two", frozenset({"b.txt"}), frozenset(), is_earlier=True),
    ]
    assert tree_note(authors, diffs).splitlines() == [
        "These changes are not committed. Sessions that changed these files:",
        '- ses_1 "One": a.txt',
        '- ses_2 "Two", maybe, since it was before the last commit: b.txt',
        "Made by hand, or by a session before the latest 30: c.txt.",
    ]
    assert tree_note(authors, diffs, uncommitted=False).startswith("Sessions that changed these files:")

"""The sessions that changed the files of a working tree."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.diffs.authorship import Period, WriteCall
from opencode_mcp.opencode.vocabulary.models import FileDiff
from opencode_mcp.server.changes.tree_authors import read_tree_authors, tree_note

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
        client=SimpleNamespace(all_sessions=no_sessions),
        runs=SimpleNamespace(other_work=brought),
    )
    diffs = [FileDiff.read({"file": name, "additions": 1, "deletions": 0}) for name in ("a.txt", "b.txt")]
    authors = await read_tree_authors(cast("Any", bridge), "/p", diffs)
    assert [(author.session_id, author.files) for author in authors] == [("ses_1", {"a.txt", "b.txt"})]
    assert tree_note(authors, diffs).count("ses_1") == 1

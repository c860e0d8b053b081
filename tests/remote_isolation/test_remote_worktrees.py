"""A worktree on another machine is made once, whatever is lost on the way, and nothing is left of a failed one."""

from pathlib import Path

import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, GitFailed, InvalidArgument
from opencode_mcp.opencode.vocabulary.backend_events import Gap, WorktreeReady
from tests.remote_isolation.far_opencode import READY, REPOSITORY, FarOpenCode, worktrees_of

pytestmark = pytest.mark.anyio


async def test_a_worktree_is_found_again_by_its_record(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY])
    worktrees = worktrees_of(opencode, tmp_path)
    made = await worktrees.create(f"{REPOSITORY}/.inner", title="A fix")
    await worktrees.assign(made, "ses_1")
    again = worktrees_of(opencode, tmp_path).find("ses_1")
    assert again is not None
    assert again.directory == f"{opencode.made[0]}/.inner"
    assert (again.project, again.branch) == (f"{REPOSITORY}/.inner", f"opencode/{again.name}")
    assert opencode.disposed == []

    await worktrees.remove(again)
    assert opencode.made == []
    assert worktrees.left() == []
    assert worktrees.records.any_of(f"{REPOSITORY}/.inner")


async def test_a_lost_answer_makes_no_second_worktree(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], failure=BackendTimeout("No answer."))
    made = await worktrees_of(opencode, tmp_path).create(REPOSITORY)
    assert opencode.made == [made.folder]


@pytest.mark.parametrize("events", [[], [Gap("")]], ids=["no event", "a gap"])
async def test_without_an_event_the_files_are_looked_for_and_opencode_reads_them_again(
    tmp_path: Path, events: list[Gap]
) -> None:
    opencode = FarOpenCode(events=[*events], missing=2)
    made = await worktrees_of(opencode, tmp_path).create(REPOSITORY)
    assert opencode.missing == 0
    assert opencode.disposed == [made.folder]


async def test_a_worktree_without_files_is_removed(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[WorktreeReady("", "No space")])
    worktrees = worktrees_of(opencode, tmp_path)
    with pytest.raises(GitFailed, match="No space"):
        await worktrees.create(REPOSITORY)
    assert (opencode.made, worktrees.left()) == ([], [])


@pytest.mark.parametrize(
    ("failure", "left"),
    [(InvalidArgument("No."), 0), (BackendUnavailable("Away."), 0), (BackendTimeout("No answer."), 1)],
    ids=["refused", "not sent", "no answer"],
)
async def test_only_a_worktree_that_may_yet_be_made_keeps_its_record(
    tmp_path: Path, failure: Exception, left: int
) -> None:
    opencode = FarOpenCode(failure=failure, makes=False)
    worktrees = worktrees_of(opencode, tmp_path)
    with pytest.raises(type(failure)):
        await worktrees.create(REPOSITORY)
    assert len(worktrees.left()) == left
    for worktree in worktrees.left():
        assert worktree.directory == ""
        opencode.made.append(f"/late/{worktree.name}")
        await worktrees.remove(worktree)
    assert (opencode.made, worktrees.left()) == ([], [])


async def test_only_head_can_be_the_base(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="HEAD only"):
        await worktrees_of(FarOpenCode(), tmp_path).check(REPOSITORY, "main")


async def test_no_worktree_is_made_of_a_worktree(tmp_path: Path) -> None:
    worktrees = worktrees_of(FarOpenCode(events=[READY]), tmp_path)
    made = await worktrees.create(REPOSITORY)
    with pytest.raises(InvalidArgument, match="an isolated worktree itself"):
        await worktrees.check(made.directory, "HEAD")

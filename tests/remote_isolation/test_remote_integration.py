"""The end of isolated work on another machine: what OpenCode would drop is listed, and no other branch is deleted."""

import shlex
from pathlib import Path

import pytest

from opencode_mcp.errors import BackendTimeout, InvalidArgument, NotFound
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.remote_isolation.remote_integration import RemoteIntegrator
from opencode_mcp.remote_isolation.remote_worktrees import RemoteWorktrees
from tests.remote_isolation.far_opencode import READY, REPOSITORY, FarOpenCode, worktrees_of

pytestmark = pytest.mark.anyio
OPTIONS = IntegrationOptions("It's done")


def content_of(patch: Path) -> str:
    """Return the content of a file; empty if there is none."""
    return patch.read_text(encoding="utf-8") if patch.exists() else ""


async def made_by(opencode: FarOpenCode, state: Path) -> tuple[RemoteIntegrator, RemoteWorktrees, Worktree]:
    worktrees = worktrees_of(opencode, state)
    made = await worktrees.create(REPOSITORY, title="Work")
    await worktrees.assign(made, "ses_1")
    return RemoteIntegrator(worktrees, opencode), worktrees, worktrees.of(made.directory)  # pyright: ignore[reportArgumentType] - a stand-in


async def test_what_is_dropped_is_what_the_checkout_has_not_got(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY])
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    added = "diff --git a/b b/b\nnew file mode 100644\n--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+2"
    brought, dropped = FileDiff(file="a", patch="+1"), FileDiff(file="b", patch=added, status="added")
    binary = FileDiff(file="c")
    opencode.diffs = {f"branch {made.directory}": [brought, dropped, binary], f"git {REPOSITORY}": [brought, binary]}
    done = await integrator.integrate(made, "discard", OPTIONS)
    assert [(change.status, change.path) for change in done.changed] == [("A", "b"), ("M", "c")]
    assert done.lost.startswith("Not kept, since they are binary or the patch would be too large: c.")
    assert opencode.removed == [made.folder]
    assert worktrees.left() == []
    patch = Path(done.undo.partition("copy ")[2].partition(" from ")[0])
    assert content_of(patch) == f"{added}\n"
    await worktrees.forget(made.directory)
    assert content_of(patch) == ""


@pytest.mark.parametrize("git_file", ["gitdir: /home/me/other/.git/worktrees/other", "ref: refs/heads/main"])
async def test_a_worktree_that_was_replaced_is_not_used_and_not_removed(tmp_path: Path, git_file: str) -> None:
    opencode = FarOpenCode(events=[READY])
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    await integrator.check_whole(made)
    opencode.git_file = git_file
    for refused in (integrator.check_whole(made), integrator.integrate(made, "discard", OPTIONS)):
        with pytest.raises(NotFound) as error:
            await refused
        assert (
            f"remove only the link, without a slash at its end; move a folder away. Then run `git -C {REPOSITORY} "
            in (error.value.hint)
        )
    assert (opencode.removed, worktrees.left()) == ([], [made])


async def test_commits_that_opencode_cannot_compare_are_said_to_be_lost(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], default_branch="")
    integrator, _, made = await made_by(opencode, tmp_path)
    assert "Commits on the branch are not kept" in (await integrator.integrate(made, "discard", OPTIONS)).lost


async def test_a_branch_of_another_name_is_not_deleted_with_the_worktree(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], branch="the-persons")
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    with pytest.raises(InvalidArgument, match="The branch the-persons is checked out"):
        await integrator.integrate(made, "discard", OPTIONS)
    assert opencode.disposed == [made.folder]
    assert worktrees.left() == [made]


@pytest.mark.parametrize("branch", ["the-persons", None])
async def test_no_commands_are_named_that_would_commit_on_another_branch(tmp_path: Path, branch: str | None) -> None:
    opencode = FarOpenCode(events=[READY], branch=branch)
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    with pytest.raises(InvalidArgument, match=f"would not be committed on {made.branch}") as refused:
        await integrator.integrate(made, "branch", OPTIONS)
    assert "git -C" not in str(refused.value)
    assert worktrees.left() == [made]


async def test_a_worktree_that_git_does_not_know_any_more_is_removed_by_hand(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], refusal=InvalidArgument("fatal: not a git repository"))
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    with pytest.raises(InvalidArgument) as refused:
        await integrator.integrate(made, "discard", OPTIONS)
    assert f"git -C {REPOSITORY} worktree prune" in refused.value.hint
    assert worktrees.left() == [made]


async def test_a_worktree_without_a_branch_gets_one_before_its_work_is_committed(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], branch=None, names_branch=False)
    integrator, _, made = await made_by(opencode, tmp_path)
    with pytest.raises(InvalidArgument, match=f"`git -C {made.folder} checkout -B {made.branch} && "):
        await integrator.integrate(made, "merge", OPTIONS)
    assert (await integrator.integrate(made, "discard", OPTIONS)).keeps_branch


async def test_where_branches_stay_another_one_is_no_obstacle(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY], branch="the-persons", deletes_branches=False)
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    assert (await integrator.integrate(made, "discard", OPTIONS)).keeps_branch
    assert worktrees.left() == []


@pytest.mark.parametrize("how", ["apply", "commit", "merge", "branch"])
async def test_other_ways_are_refused_with_commands(tmp_path: Path, how: How) -> None:
    integrator, worktrees, made = await made_by(FarOpenCode(events=[READY]), tmp_path)
    with pytest.raises(InvalidArgument) as refused:
        await integrator.integrate(made, how, OPTIONS)
    command = refused.value.message.partition("`")[2].partition("`")[0]
    assert command.startswith(f"git -C {made.folder} add --all && ")
    assert shlex.quote("It's done") in command
    assert worktrees.left() == [made]


async def test_a_worktree_whose_creation_was_not_confirmed_is_discarded_where_it_was_found(tmp_path: Path) -> None:
    opencode = FarOpenCode(failure=BackendTimeout("No answer."), makes=False)
    worktrees = worktrees_of(opencode, tmp_path)
    with pytest.raises(BackendTimeout):
        await worktrees.create(REPOSITORY)
    [planned] = worktrees.left()
    opencode.made.append(f"/late/{planned.name}")
    await RemoteIntegrator(worktrees, opencode).integrate(planned, "discard", OPTIONS)  # pyright: ignore[reportArgumentType] - a stand-in
    assert (opencode.made, worktrees.left()) == ([], [])


async def test_a_worktree_that_was_removed_there_is_only_forgotten(tmp_path: Path) -> None:
    opencode = FarOpenCode(events=[READY])
    integrator, worktrees, made = await made_by(opencode, tmp_path)
    opencode.made.clear()
    with pytest.raises(InvalidArgument, match="does not exist any more"):
        await integrator.integrate(made, "merge", OPTIONS)
    done = await integrator.integrate(made, "branch", OPTIONS)
    assert (done.changed, done.keeps_branch) == ([], True)
    assert (opencode.removed, worktrees.left()) == ([], [])

"""Work that comes back in several steps, and what is refused on the way, with nothing changed."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument, NotFound
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.isolation.repository.trees import snapshot
from opencode_mcp.isolation.repository.writing import write
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.results.integration_text import text_of
from tests.isolation.git_repository import contents, git, make_repository, put

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work of OpenCode")
WITH_MARKERS = IntegrationOptions("", markers=True)
LINES = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": LINES, "b.txt": "b\n"})


def change_line(folder: Path, number: int, text: str) -> None:
    """Change one line of a.txt."""
    lines = (folder / "a.txt").read_text().splitlines(keepends=True)
    put(folder, {"a.txt": "".join([*lines[:number], f"{text}\n", *lines[number + 1 :]])})


def state_of(repository: Path) -> tuple[dict[str, bytes], str, str]:
    """Return the files, the commit and what is staged."""
    return contents(repository), git(repository, "rev-parse", "HEAD"), git(repository, "diff", "--cached")


async def test_several_applies_are_undone_one_by_one(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    folder, states = Path(made.folder), [contents(repository)]
    for text in ("first", "second", "third"):
        # The same line each time: compared with the base alone, it would conflict with what was applied before.
        change_line(folder, 3, text)
        assert (await integrator.integrate(made, "apply", REQUEST)).changed
        states.append(contents(repository))
    for state in reversed(states[:-1]):
        done = await integrator.integrate(made, "undo", REQUEST)
        assert contents(repository) == state
        assert 'how="apply"' in done.undo
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", REQUEST)
    assert len(await integrator.pending(made)) == 1
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository) == states[-1]
    assert await integrator.pending(made) == []


async def test_an_apply_that_was_stashed_is_undone_after_it_came_back(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    before = contents(repository)
    change_line(Path(made.folder), 3, "theirs")
    await integrator.integrate(made, "apply", REQUEST)
    git(repository, "stash")
    with pytest.raises(InvalidArgument, match="does not have the last applied changes") as refused:
        await integrator.integrate(made, "undo", REQUEST)
    assert "git apply" not in str(refused.value)
    git(repository, "stash", "pop")
    assert (await integrator.integrate(made, "undo", REQUEST)).changed
    assert contents(repository) == before


async def test_an_undo_of_an_apply_that_was_taken_out_by_hand_names_how_to_undo_the_one_before(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    before = contents(repository)
    change_line(Path(made.folder), 3, "first")
    await integrator.integrate(made, "apply", REQUEST)
    put(Path(made.folder), {"b.txt": "second\n"})
    await integrator.integrate(made, "apply", REQUEST)
    git(repository, "checkout", "--quiet", "--", "b.txt")
    with pytest.raises(InvalidArgument, match="does not have the last applied changes") as refused:
        await integrator.integrate(made, "undo", REQUEST)
    command = str(refused.value).split("`")[3]
    subprocess.run(command, shell=True, check=True, cwd=repository)  # noqa: ASYNC221, S602 - the command is named to people
    assert contents(repository) == before


async def test_several_commits_of_one_worktree_follow_each_other(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    for text in ("first", "second"):
        change_line(Path(made.folder), 3, text)
        assert (await integrator.integrate(made, "commit", IntegrationOptions(text))).commit
    assert git(repository, "log", "--format=%s").splitlines() == ["second", "first", "first"]
    assert (repository / "a.txt").read_text() == LINES.replace("line 3\n", "second\n")


async def test_work_that_was_taken_out_by_hand_comes_back_with_the_next_apply(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    change_line(Path(made.folder), 3, "theirs")
    await integrator.integrate(made, "apply", REQUEST)
    git(repository, "checkout", "--quiet", "--", "a.txt")
    await integrator.integrate(made, "apply", REQUEST)
    assert "theirs\n" in (repository / "a.txt").read_text()


async def test_conflict_markers_name_the_sides_and_are_not_written_twice(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository), title="Prices")
    change_line(Path(made.folder), 3, "theirs")
    change_line(repository, 3, "ours")
    done = await integrator.integrate(made, "apply", WITH_MARKERS)
    assert [conflict.kind for conflict in done.conflicts] == ["both sides changed the same or neighbouring lines"]
    marked = (repository / "a.txt").read_text()
    assert f"<<<<<<< opencode-mcp/{made.name}/checkout\nours\n" in marked
    assert f"theirs\n>>>>>>> opencode-mcp/{made.name}/worktree\n" in marked
    # Nothing new: nothing happens.
    assert not (await integrator.integrate(made, "apply", WITH_MARKERS)).changed
    change_line(Path(made.folder), 3, "theirs again")
    with pytest.raises(InvalidArgument, match="still has conflict markers"):
        await integrator.integrate(made, "apply", WITH_MARKERS)
    assert (repository / "a.txt").read_text() == marked
    put(repository, {"a.txt": LINES.replace("line 3\n", "resolved\n")})
    change_line(Path(made.folder), 10, "later")
    change_line(Path(made.folder), 3, "theirs")
    await integrator.integrate(made, "apply", REQUEST)
    assert (repository / "a.txt").read_text() == LINES.replace("line 3\n", "resolved\n").replace("line 10\n", "later\n")
    assert git(repository, "for-each-ref", f"refs/opencode-mcp/{made.name}/checkout") == ""


async def test_each_kind_of_conflict_is_named(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    for place, byte in ((repository, b"\0ours"), (folder, b"\0theirs")):
        (place / "added.bin").write_bytes(byte)
    change_line(repository, 3, "ours")
    (folder / "a.txt").unlink()
    (folder / "b.txt").unlink()
    put(folder, {"b.txt/inside": "a folder\n"})
    put(repository, {"b.txt": "changed\n"})
    done = await integrator.integrate(made, "apply", REQUEST)
    kinds = {conflict.path: conflict.kind for conflict in done.conflicts}
    assert kinds["a.txt"] == "one side changed it, the other deleted it"
    assert "both sides" in kinds["added.bin"]
    assert all(kinds.values()), kinds


@pytest.mark.parametrize("how", ["commit", "merge"])
async def test_a_checkout_without_a_branch_gets_no_commit(
    how: How, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    change_line(Path(made.folder), 3, "theirs")
    git(repository, "checkout", "--quiet", "--detach")
    before = state_of(repository)
    with pytest.raises(InvalidArgument, match="HEAD is detached"):
        await integrator.integrate(made, how, REQUEST)
    assert state_of(repository) == before
    assert (await integrator.integrate(made, "apply", REQUEST)).changed


async def test_a_checkout_without_a_commit_gets_the_files_alone(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    put(folder, {"a.txt": "a\n"})
    made = await worktrees.create(str(folder), base=WORKING_TREE)
    put(Path(made.folder), {"b.txt": "b\n"})
    with pytest.raises(InvalidArgument, match="no commit yet"):
        await integrator.integrate(made, "commit", REQUEST)
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(folder) == {"a.txt": b"a\n", "b.txt": b"b\n"}


@pytest.mark.parametrize("how", ["commit", "merge"])
@pytest.mark.parametrize("work", ["secret", "secret/inside"])
@pytest.mark.parametrize("mine", ["secret", "secret/inside"])
async def test_a_commit_overwrites_no_file_that_git_ignores(
    how: How, work: str, mine: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    put(repository, {".git/info/exclude": "secret\n", mine: "mine\n"})
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {work: "theirs\n"})
    git(Path(made.folder), "add", "--force", work)
    before = state_of(repository)
    with pytest.raises(GitFailed, match="would overwrite it"):
        await integrator.integrate(made, how, REQUEST)
    assert state_of(repository) == before


async def test_a_refusal_of_git_names_the_files(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    made = await worktrees.create(str(repository))
    for folder, text in ((Path(made.folder), "theirs"), (repository, "ours")):
        change_line(folder, 3 if text == "theirs" else 15, text)
        put(folder, {"b.txt": f"{text}\n" if text == "ours" else "b\nmore\n"})
    before = state_of(repository)
    with pytest.raises(GitFailed, match=r"overwritten by merge: a\.txt, b\.txt"):
        await integrator.integrate(made, "commit", REQUEST)
    assert state_of(repository) == before


async def test_a_checkout_that_changes_at_the_same_time_is_named_and_kept(
    repository: Path, worktrees: Worktrees
) -> None:
    checkout = await worktrees.git((await worktrees.create(str(repository))).checkout)
    async with snapshot(checkout) as seen:
        put(repository, {"b.txt": "mine\n"})
        empty = await checkout.line("mktree")
        with pytest.raises(GitFailed, match="not uptodate") as refused:
            await write(checkout, seen, empty)
    assert "Call again" in refused.value.hint
    assert (repository / "b.txt").read_text() == "mine\n"


async def test_histories_without_a_common_commit_are_not_merged(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    git(repository, "commit", "--quiet", "--message=other")
    made = await worktrees.create(str(repository), base="main")
    change_line(Path(made.folder), 3, "theirs")
    with pytest.raises(InvalidArgument, match="no common commit"):
        await integrator.integrate(made, "merge", REQUEST)
    assert (await integrator.integrate(made, "commit", REQUEST)).commit


@pytest.mark.skipif(sys.platform == "win32", reason="the filters are POSIX's")
async def test_files_that_are_stored_through_a_filter_are_kept_as_they_are(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    git(repository, "config", "filter.upper.clean", "tr a-z A-Z")
    git(repository, "config", "filter.upper.smudge", "tr A-Z a-z")
    put(repository, {".gitattributes": "*.up filter=upper\n", "big.up": "data\n"})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=filtered")
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    assert (folder / "big.up").read_text() == "DATA\n"
    put(folder, {"b.txt": "theirs\n", "new.up": "new\n"})
    before = contents(repository)
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository) == {**before, "b.txt": b"theirs\n", "new.up": b"new\n"}
    await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == before
    with pytest.raises(InvalidArgument, match=r"filter of git.*: new\.up"):
        await integrator.integrate(made, "commit", REQUEST)
    put(folder, {"big.up": "other\n"})
    with pytest.raises(InvalidArgument, match=r"filter of git.*: big\.up"):
        await integrator.integrate(made, "apply", REQUEST)
    assert state_of(repository)[0] == before


async def test_commits_on_a_branch_that_is_not_checked_out_are_not_lost(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    put(folder, {"committed.txt": "x\n"})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=by the agent")
    tip = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", "-b", "agents", "main")
    put(folder, {"other.txt": "y\n"})
    for how in ("merge", "branch"):
        with pytest.raises(InvalidArgument, match="has commits that are not part"):
            await integrator.integrate(made, how, REQUEST)
    done = await integrator.integrate(made, "discard", REQUEST)
    git(repository, *done.undo.split()[1:])
    assert git(repository, "merge-base", "--is-ancestor", tip, made.branch) == ""
    assert git(repository, "show", f"{made.branch}:other.txt") == "y"


async def test_a_discard_says_how_much_was_not_brought_back(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"one.txt": "1\n"})
    await integrator.integrate(made, "apply", REQUEST)
    put(Path(made.folder), {"two.txt": "2\n", "three.txt": "3\n"})
    done = await integrator.integrate(made, "discard", REQUEST)
    assert (len(done.changed), done.pending, done.is_brought_back) == (2, 2, False)
    with pytest.raises(NotFound, match="was removed"):
        await integrator.integrate(made, "apply", REQUEST)


async def test_a_discard_after_all_was_brought_back_drops_no_file(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"one.txt": "1\n"})
    await integrator.integrate(made, "commit", REQUEST)
    done = await integrator.integrate(made, "discard", REQUEST)
    assert (done.changed, done.pending, done.is_brought_back) == ([], 0, True)
    text = text_of("discard", made, done)
    assert f"Its work was brought to {repository} before." in text
    assert f"To undo it within 30 days, in {repository}: git branch {made.branch} " in text
    assert "dropped" not in text


async def test_files_that_conflict_are_reported_with_the_call_that_adapts_the_work(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = replace(await worktrees.create(str(repository)), session_id="ses_1")
    put(Path(made.folder), {"b.txt": "theirs\n"})
    put(repository, {"b.txt": "mine\n"})
    text = text_of("apply", made, await integrator.integrate(made, "apply", REQUEST))
    assert 'Have OpenCode adapt the work with opencode_run(session_id="ses_1", prompt=...)' in text
    assert "- conflict: b.txt (both sides changed the same or neighbouring lines)" in text


@pytest.mark.parametrize("gone", ["folder", "git_dir"])
async def test_what_is_left_of_a_worktree_can_be_discarded(
    gone: str, tmp_path: Path, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"committed.txt": "x\n"})
    git(Path(made.folder), "add", "--all")
    git(Path(made.folder), "commit", "--quiet", "--message=by the agent")
    places = {"folder": made.folder, "git_dir": made.files.git_dir}
    await anyio.Path(places[gone]).rename(tmp_path / "gone")
    done = await integrator.integrate(made, "discard", REQUEST)
    assert worktrees.left() == []
    assert contents(Path(made.folder)) == {}
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:committed.txt") == "x"


async def test_a_discard_of_lost_files_names_no_way_back_that_has_no_work(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"b.txt": "work\n"})
    shutil.rmtree(made.folder)
    assert (await integrator.integrate(made, "discard", REQUEST)).undo == ""


async def test_a_discard_that_could_not_remove_all_files_keeps_all_of_the_work(
    repository: Path, worktrees: Worktrees, integrator: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"b.txt": "work\n", "c.txt": "work\n"})

    async def removed_in_part(worktree: Worktree, *, keep_branch: bool = False) -> None:
        await anyio.Path(worktree.folder, "b.txt").unlink()
        raise GitFailed(f"{worktree.folder} cannot be removed. {keep_branch}")

    with monkeypatch.context() as patch:
        patch.setattr(worktrees, "remove", removed_in_part)
        with pytest.raises(GitFailed, match="cannot be removed"):
            await integrator.integrate(made, "discard", REQUEST)
    done = await integrator.integrate(made, "discard", REQUEST)
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:b.txt") == "work"


async def test_calls_at_the_same_time_change_a_worktree_one_after_the_other(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"new.txt": "new\n"})
    ended: list[str] = []

    async def call(how: How) -> None:
        try:
            await integrator.integrate(made, how, REQUEST)
            ended.append(how)
        except NotFound:
            ended.append("not found")

    async with anyio.create_task_group() as calls:
        for how in ("apply", "discard", "apply"):
            calls.start_soon(call, how)
    assert sorted(ended) in (
        ["apply", "apply", "discard"],
        ["apply", "discard", "not found"],
        ["discard", "not found", "not found"],
    )
    assert ("new.txt" in contents(repository)) == ("apply" in ended)
    assert git(repository, "branch", "--list", "opencode/*") == ""


async def test_two_worktrees_are_brought_back_one_after_the_other(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    edits: list[Callable[[Path], None]] = [
        lambda folder: change_line(folder, 3, "first"),
        lambda folder: change_line(folder, 15, "second"),
        lambda folder: change_line(folder, 3, "third"),
    ]
    for number, edit in enumerate(edits):
        made = await worktrees.create(str(repository))
        edit(Path(made.folder))
        done = await integrator.integrate(made, "apply", REQUEST)
        assert bool(done.conflicts) == (number == 2)
    assert (repository / "a.txt").read_text() == LINES.replace("line 3\n", "first\n").replace("line 15\n", "second\n")


async def test_line_ends_stay_as_the_attributes_say(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    put(
        repository,
        {".gitattributes": "*.bat text eol=crlf\n*.raw -text\n", "run.bat": "one\r\ntwo\r\n", "x.raw": "a\r\nb\n"},
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=line ends")
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    assert (folder / "run.bat").read_bytes() == b"one\r\ntwo\r\n"
    assert await integrator.pending(made) == []
    put(folder, {"run.bat": "one\r\ntwo\r\nthree\r\n", "x.raw": "a\r\nb\nc\r\n"})
    done = await integrator.integrate(made, "apply", REQUEST)
    assert [change.path for change in done.changed] == ["run.bat", "x.raw"]
    assert (repository / "run.bat").read_bytes() == b"one\r\ntwo\r\nthree\r\n"
    assert (repository / "x.raw").read_bytes() == b"a\r\nb\nc\r\n"
    assert git(repository, "diff", "--stat") != ""


async def test_applied_files_that_git_ignores_are_taken_out_again_and_can_be_applied_once_more(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {".gitignore": "*.log\n", "kept.log": "kept\n"})
    git(Path(made.folder), "add", "--force", "kept.log")
    before = contents(repository)
    for _ in range(2):
        assert (await integrator.integrate(made, "apply", REQUEST)).changed
        assert (repository / "kept.log").exists()
        put(Path(made.folder), {"kept.log": "kept longer\n"})
        assert [one.path for one in (await integrator.integrate(made, "apply", REQUEST)).changed] == ["kept.log"]
        for _ in range(2):
            await integrator.integrate(made, "undo", REQUEST)
        assert contents(repository) == before
        put(Path(made.folder), {"kept.log": "kept\n"})


async def test_a_base_that_is_no_commit_and_a_worktree_that_was_removed_by_hand_are_named(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    for base in ("^HEAD", "HEAD..main", "--all", "HEAD^{tree}"):
        with pytest.raises(InvalidArgument, match="has no branch or commit"):
            await worktrees.create(str(repository), base=base)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"b.txt": "work\n"})
    git(Path(made.folder), "commit", "--quiet", "--all", "--message=work")
    await integrator.check_whole(made)
    shutil.rmtree(made.folder)
    with pytest.raises(NotFound, match="removed or replaced"):
        await integrator.check_whole(made)
    with pytest.raises(NotFound, match="removed or replaced") as refused:
        await integrator.integrate(made, "apply", REQUEST)
    assert 'how="discard"' in str(refused.value)
    done = await integrator.integrate(made, "discard", REQUEST)
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:b.txt") == "work"


@pytest.mark.parametrize("is_repository", [False, True])
async def test_a_folder_that_was_made_again_after_its_removal_is_not_taken_for_the_work(
    repository: Path, worktrees: Worktrees, integrator: Integrator, *, is_repository: bool
) -> None:
    made = await worktrees.create(str(repository))
    shutil.rmtree(made.folder)
    put(Path(made.folder), {"late.txt": "late\n"})
    if is_repository:
        git(Path(made.folder), "init")
    before = contents(repository)
    ways: tuple[How, ...] = ("apply", "commit", "merge", "branch")
    for how in ways:
        with pytest.raises(NotFound, match="removed or replaced"):
            await integrator.integrate(made, how, REQUEST)
    for compared in (integrator.changed, integrator.pending):
        with pytest.raises(NotFound, match="removed or replaced"):
            await compared(made)
    assert contents(repository) == before
    done = await integrator.integrate(made, "discard", REQUEST)
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:late.txt") == "late"


async def test_no_refs_are_left_but_the_way_back_of_a_discard(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"b.txt": "work\n"})
    await integrator.integrate(made, "apply", REQUEST)
    await integrator.integrate(made, "discard", REQUEST)
    await worktrees.delete_record(made)
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/opencode-mcp").splitlines()
    assert refs == [f"refs/opencode-mcp/{made.name}/discarded"]

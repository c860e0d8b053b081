"""Isolated worktrees: what they begin with, and that nothing is left of one that could not be made."""

import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument, InvalidSetting, NotFound
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.isolation.repository import kept_commits
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import ENVIRONMENT, contents, git, make_repository, put

pytestmark = pytest.mark.anyio


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


def left_over(tmp_path: Path, repository: Path) -> tuple[list[Path], str, str]:
    """Return the files in the state folder, the branches, and the worktrees that git knows."""
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    return files, git(repository, "branch", "--list", "opencode/*"), git(repository, "worktree", "list")


async def test_a_worktree_begins_with_the_last_commit(repository: Path, worktrees: Worktrees) -> None:
    put(repository, {"a.txt": "changed\n", "new.txt": "new\n"})
    made = await worktrees.create(str(repository), title="Fix the log-in, please!")
    assert contents(Path(made.folder)) == {"a.txt": b"one\ntwo\nthree\n", "src/b.txt": b"b\n"}
    assert made.branch.startswith("opencode/fix-the-log-in-please-")
    assert git(Path(made.folder), "branch", "--show-current") == made.branch
    assert contents(repository)["a.txt"] == b"changed\n"


async def test_a_worktree_begins_with_the_working_tree_and_leaves_the_index_alone(
    repository: Path, worktrees: Worktrees
) -> None:
    put(repository, {".gitignore": "*.log\n", "a.txt": "changed\n", "new.txt": "new\n", "x.log": "ignored\n"})
    (repository / "src/b.txt").unlink()
    git(repository, "add", "new.txt")
    before = git(repository, "status", "--porcelain")
    made = await worktrees.create(str(repository), base=WORKING_TREE)
    assert contents(Path(made.folder)) == {".gitignore": b"*.log\n", "a.txt": b"changed\n", "new.txt": b"new\n"}
    assert git(repository, "status", "--porcelain") == before
    assert git(Path(made.folder), "status", "--porcelain") == ""


async def test_a_worktree_begins_with_a_named_branch(repository: Path, worktrees: Worktrees) -> None:
    git(repository, "checkout", "--quiet", "-b", "other")
    put(repository, {"other.txt": "other\n"})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=other")
    git(repository, "checkout", "--quiet", "main")
    made = await worktrees.create(str(repository), base="other")
    assert "other.txt" in contents(Path(made.folder))


async def test_what_was_discarded_is_kept_for_thirty_days(
    repository: Path, worktrees: Worktrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    refs: list[str] = []
    for days, name in ((0, "first"), (29, "second")):
        monkeypatch.setattr(kept_commits.time, "time", lambda days=days: now + days * kept_commits.DAY_SECONDS)
        made = await worktrees.create(str(repository))
        put(Path(made.folder), {"name.txt": name})
        done = await Integrator(worktrees).integrate(made, "discard", IntegrationOptions("message"))
        refs.append(done.undo.rpartition(" ")[2])
    for name, ref in zip(("first", "second"), refs, strict=True):
        git(repository, "branch", name, ref)
        assert git(repository, "show", f"{name}:name.txt") == name
    monkeypatch.setattr(kept_commits.time, "time", lambda: now + 31 * kept_commits.DAY_SECONDS)
    await worktrees.create(str(repository))
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/opencode-mcp") == refs[1]


async def test_a_folder_of_a_repository_is_the_same_folder_of_the_worktree(
    repository: Path, worktrees: Worktrees
) -> None:
    made = await worktrees.create(str(repository / "src"))
    assert Path(made.directory) == Path(made.folder) / "src"
    assert Path(made.project) == repository / "src"
    assert worktrees.of(made.directory).name == made.name


async def test_a_detached_head_is_a_base(repository: Path, worktrees: Worktrees) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert contents(Path((await worktrees.create(str(repository))).folder)) == contents(repository)


async def test_a_repository_without_a_commit_can_only_begin_with_the_working_tree(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    put(folder, {"a.txt": "a\n"})
    with pytest.raises(InvalidArgument, match="no commit yet"):
        await worktrees.create(str(folder))
    made = await worktrees.create(str(folder), base=WORKING_TREE)
    assert contents(Path(made.folder)) == {"a.txt": b"a\n"}


@pytest.mark.parametrize("base", ["nothing", "--output=/tmp/x", "", "a b", "main:a.txt"])
async def test_an_unknown_base_is_refused_and_leaves_nothing(
    base: str, tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    before = left_over(tmp_path, repository)
    with pytest.raises(InvalidArgument, match="no branch or commit"):
        await worktrees.create(str(repository), base=base)
    assert left_over(tmp_path, repository) == before


async def test_a_folder_without_git_is_refused(tmp_path: Path, worktrees: Worktrees) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(InvalidArgument, match="in no git repository"):
        await worktrees.create(str(tmp_path / "plain"))


async def test_a_missing_git_is_named(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(InvalidSetting, match="no git on the PATH"):
        await Worktrees(tmp_path / "state", {"PATH": "."}).create(str(repository))


async def test_a_worktree_that_git_cannot_make_leaves_nothing(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    # Branches of these names keep git from making any that begins with them.
    git(repository, "branch", "opencode")
    git(repository, "branch", "opencode-mcp")
    worktrees.records.prepare()
    before = left_over(tmp_path, repository)
    with pytest.raises(GitFailed):
        await worktrees.create(str(repository))
    assert left_over(tmp_path, repository) == before


async def test_hooks_of_the_repository_do_not_run(tmp_path: Path, repository: Path, worktrees: Worktrees) -> None:
    hook = repository / ".git/hooks/post-checkout"
    put(repository, {".git/hooks/post-checkout": f"#!/bin/sh\ntouch '{tmp_path}/ran'\n"})
    hook.chmod(0o755)
    await worktrees.create(str(repository))
    assert not (tmp_path / "ran").exists()


async def test_a_removed_worktree_leaves_nothing(tmp_path: Path, repository: Path, worktrees: Worktrees) -> None:
    before = left_over(tmp_path, repository)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"a.txt": "changed\n", "untracked.txt": "x\n", "locked/file": "x\n"})
    (Path(made.folder) / "locked").chmod(0o500)
    await worktrees.remove(made)
    assert left_over(tmp_path, repository) == before
    with pytest.raises(NotFound, match="no isolated worktree"):
        worktrees.of(made.directory)


async def test_the_record_of_a_session_stays_until_it_is_forgotten(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    before = left_over(tmp_path, repository)
    made = await worktrees.create(str(repository))
    await worktrees.assign(made, "ses_1")
    assert [one.session_id for one in worktrees.left(str(repository))] == ["ses_1"]
    for name in ("ses_1", made.branch):
        assert worktrees.find(name) == worktrees.of(made.directory)
    await worktrees.remove(worktrees.of(made.directory))
    assert worktrees.left() == []
    assert worktrees.find("ses_1") is None
    assert worktrees.records.any_of(str(repository))
    with pytest.raises(NotFound, match="was removed"):
        worktrees.of(made.directory)
    await worktrees.forget(made.directory)
    assert left_over(tmp_path, repository) == before


async def test_a_record_that_names_another_folder_is_not_used(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    made = await worktrees.create(str(repository))
    for change in ({"folder": str(repository)}, {"name": "other"}, {"name": "../other"}, {"unknown": 1}):
        record = tmp_path / "state" / "worktrees" / "records" / f"{made.name}.json"
        record.write_text(json.dumps({**asdict(made), **change}))
        assert worktrees.left() == []
        with pytest.raises(NotFound):
            worktrees.of(made.directory)


async def test_worktrees_of_others_are_left_alone(tmp_path: Path, repository: Path, worktrees: Worktrees) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "own"))
    # As if its disk were not there for the moment.
    (tmp_path / "own").rename(tmp_path / "away")
    await worktrees.remove(await worktrees.create(str(repository)))
    (tmp_path / "away").rename(tmp_path / "own")
    assert git(tmp_path / "own", "status", "--porcelain") == ""


async def test_a_worktree_of_a_worktree_is_refused(repository: Path, worktrees: Worktrees) -> None:
    made = await worktrees.create(str(repository))
    with pytest.raises(InvalidArgument, match="is an isolated worktree itself"):
        await worktrees.create(made.folder)


@pytest.mark.parametrize(
    ("title", "start"),
    [
        ("Fix the log-in, please!", "fix-the-log-in-please-"),
        ("Änderung der Größe in main.py", "der-in-main-py-"),
        ("../../etc; rm -rf /\n--force", "etc-rm-rf-force-"),
        ("x" * 100, "x" * 40 + "-"),
        ("日本語 \u202e ~^:?*[", "run-"),
        ("", "run-"),
    ],
)
async def test_a_branch_has_plain_words_of_the_title_alone(
    title: str, start: str, repository: Path, worktrees: Worktrees
) -> None:
    made = await worktrees.create(str(repository), title=title)
    assert made.branch.startswith(f"opencode/{start}")
    assert len(made.name) == len(start) + 8


async def test_a_folder_that_the_base_does_not_have_is_refused_and_leaves_nothing(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    worktrees.records.prepare()
    put(repository, {"new/c.txt": "c\n"})
    before = left_over(tmp_path, repository)
    with pytest.raises(InvalidArgument, match="The folder new of"):
        await worktrees.create(str(repository / "new"))
    assert left_over(tmp_path, repository) == before


async def test_a_checkout_that_is_a_worktree_itself_is_used(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "own", str(tmp_path / "own"))
    put(tmp_path / "own", {"own.txt": "own\n"})
    git(tmp_path / "own", "add", "--all")
    git(tmp_path / "own", "commit", "--quiet", "--message=own")
    made = await worktrees.create(str(tmp_path / "own"))
    assert "own.txt" in contents(Path(made.folder))
    assert made.common_dir == str(repository / ".git")


async def test_a_branch_called_opencode_is_not_in_the_way(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "project")
    git(repository, "branch", "opencode")
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(repository))
    assert git(repository, "branch", "--list", "opencode-mcp/*").split()[-1] == made.branch
    await worktrees.remove(made)
    assert git(repository, "branch", "--format=%(refname:short)").split() == ["main", "opencode"]

"""A discard keeps the files of a worktree also if git cannot read all of them, or knows nothing of it any more."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from opencode_mcp.errors import GitFailed, NotFound
from opencode_mcp.isolation import worktrees as isolation_worktrees
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.removal.discarded_work import KEPT
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.results.integration_text import text_of
from tests.isolation.git_repository import contents, git, make_repository, put

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work of OpenCode")
FILES = {"a.txt": "a\n", "src/b.txt": "b\n"}


def admin_folder(repository: Path) -> Path:
    """Return the folder in which git keeps what it knows of the only worktree."""
    (found,) = (repository / ".git" / "worktrees").iterdir()
    return found


def pruned(repository: Path) -> None:
    """Remove what git knows, as ``git worktree prune`` does while the folder is not mounted."""
    shutil.rmtree(admin_folder(repository))


def damaged_index(repository: Path) -> None:
    (admin_folder(repository) / "index").write_text("junk")


def damaged_head(repository: Path) -> None:
    (admin_folder(repository) / "HEAD").write_text("junk")


def made_again(repository: Path) -> None:
    """Replace the repository by another one at the same place, as a person does who clones it again."""
    shutil.rmtree(repository)
    make_repository(repository, {"a.txt": "another a\n"})


@pytest.mark.parametrize("harm", [pruned, damaged_index, damaged_head, made_again])
async def test_the_files_are_kept_whatever_became_of_what_git_knows(
    harm: Callable[[Path], None], tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    repository = make_repository(tmp_path / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"a.txt": "A\n", "new/file.txt": "new\n"})
    (Path(made.folder) / "src" / "b.txt").unlink()
    harm(repository)
    done = await integrator.integrate(made, "discard", REQUEST)
    assert "Only those of its files that git can read are kept" in text_of("discard", made, done)
    assert not await anyio.Path(made.folder).exists()
    git(repository, *done.undo.split()[1:])
    kept = git(repository, "ls-tree", "-r", "--name-only", made.branch)
    assert kept.split() == ["a.txt", "new/file.txt"]
    assert git(repository, "show", f"{made.branch}:a.txt") == "A"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
async def test_all_other_files_are_kept_if_git_cannot_read_one(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    repository = make_repository(tmp_path / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"src/b.txt": "B\n"})
    (Path(made.folder) / "a.txt").unlink()
    os.mkfifo(Path(made.folder) / "a.txt")
    done = await integrator.integrate(made, "discard", REQUEST)
    assert "can only add regular files" in done.lost
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:a.txt", f"{made.branch}:src/b.txt") == "a\nB"


async def test_the_work_of_a_checkout_that_was_removed_is_kept_in_the_repository_that_it_shared(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    main = make_repository(tmp_path / "main", FILES)
    git(main, "worktree", "add", "--quiet", str(tmp_path / "checkout"))
    made = await worktrees.create(str(tmp_path / "checkout"))
    put(Path(made.folder), {"a.txt": "A\n"})
    git(main, "worktree", "remove", str(tmp_path / "checkout"))
    done = await integrator.integrate(made, "discard", REQUEST)
    assert (done.lost, done.pending, done.keeps_branch) == ("", 1, False)
    assert git(main, "branch", "--list", made.branch) == ""
    text = text_of("discard", made, done)
    assert f"To undo it within 30 days, in {main / '.git'}: {done.undo}" in text
    git(main / ".git", *done.undo.split()[1:])
    assert git(main, "show", f"{made.branch}:a.txt") == "A"


async def test_work_whose_repository_was_moved_away_is_not_removed(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    repository = make_repository(tmp_path / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"a.txt": "A\n"})
    await anyio.Path(repository).rename(tmp_path / "moved")
    with pytest.raises(GitFailed, match="Nothing was removed") as refused:
        await integrator.integrate(made, "discard", REQUEST)
    assert f"copy what is needed from {made.folder}" in str(refused.value)
    assert contents(Path(made.folder)) == {"a.txt": b"A\n", "src/b.txt": b"b\n"}
    shutil.rmtree(made.folder)
    text = text_of("discard", made, await integrator.integrate(made, "discard", REQUEST))
    assert "its repository cannot be read" in text
    assert "The branch of this name stays, if there is one." in text
    assert worktrees.left() == []


@pytest.mark.parametrize("first", ["branch", "discard"])
async def test_a_worktree_that_was_removed_in_part_is_not_taken_for_the_work(
    first: How, tmp_path: Path, worktrees: Worktrees, integrator: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_repository(tmp_path / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"a.txt": "A\n"})

    def removed_in_part(folder: str) -> None:
        Path(folder, "src", "b.txt").unlink()
        raise PermissionError(folder)

    with monkeypatch.context() as patch:
        patch.setattr(isolation_worktrees, "shutil", SimpleNamespace(rmtree=removed_in_part))
        with pytest.raises(GitFailed, match="cannot be removed"):
            await integrator.integrate(made, first, REQUEST)
    ways: tuple[How, ...] = ("apply", "branch")
    for how in ways:
        with pytest.raises(NotFound, match="a call that was interrupted"):
            await integrator.integrate(made, how, REQUEST)
    assert contents(repository) == {name: text.encode() for name, text in FILES.items()}
    done = await integrator.integrate(made, "discard", REQUEST)
    assert ("An earlier discard was interrupted" in done.lost) == (first == "discard")
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:a.txt", f"{made.branch}:src/b.txt") == "A\nb"
    assert [path.name for path in worktrees.records.folder.iterdir()] == ["records"]


def faulty_settings(repository: Path) -> None:
    with (repository / ".git" / "config").open("a") as file:
        file.write("[garbage\n")


def faulty_value(repository: Path) -> None:
    git(repository, "config", "core.bare", "maybe")


def damaged_tree(repository: Path) -> None:
    name = git(repository, "rev-parse", "HEAD^{tree}")
    tree = repository / ".git" / "objects" / name[:2] / name[2:]
    tree.chmod(0o600)
    tree.write_text("junk")


@pytest.mark.parametrize("harm", [faulty_settings, faulty_value, damaged_tree])
async def test_no_file_is_removed_that_no_commit_has(
    harm: Callable[[Path], None], tmp_path: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    repository = make_repository(tmp_path / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"a.txt": "A\n"})
    harm(repository)
    try:
        done = await integrator.integrate(made, "discard", REQUEST)
    except GitFailed as error:
        assert "Nothing was" in f"{error} {error.hint}"  # noqa: PT017 - both outcomes are right
        place = Path(made.folder)
    else:
        place = Path(f"{made.folder}{KEPT}")
        assert f"They are in {place} now" in text_of("discard", made, done)
        assert not await anyio.Path(made.folder).exists()
    assert contents(place)["a.txt"] == b"A\n"

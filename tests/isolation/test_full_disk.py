"""A full disk: what needs space fails with a reason, and neither a worktree nor a half of the work is left."""

import secrets
from collections.abc import Generator
from pathlib import Path

import pytest

from opencode_mcp.errors import BridgeError
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.isolation.worktrees import Worktrees
from tests.harness.faults.small_disk import FILLER, fill, make_room, small_disk
from tests.isolation.git_repository import ENVIRONMENT, contents, git, make_repository, put

pytestmark = pytest.mark.anyio
MEGABYTE = 1 << 20
LARGE = {f"large-{number}.txt": f"{number}\n" * (MEGABYTE // 4) for number in range(4)}
"""Two megabytes of files, which git's objects store in a few kilobytes."""
SPACES = (0, 4096, 16_384, 65_536, MEGABYTE)


def sums(repository: Path) -> list[object]:
    """A checkout as a person sees it, in few words."""
    found = {name: hash(content) for name, content in contents(repository).items()}
    locks = list((repository / ".git").rglob("*.lock"))
    return [found, git(repository, "status", "--porcelain"), git(repository, "log", "--oneline"), locks]


def advises_space(error: BridgeError) -> bool:
    """Return True if an error says that the disk needs space, and no other remedy."""
    return "make some space" in error.hint.lower() and ".lock" not in error.hint


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "disk", 6 * MEGABYTE) as folder:
        yield folder


@pytest.mark.parametrize("base", ["HEAD", WORKING_TREE])
@pytest.mark.parametrize("free", SPACES)
async def test_a_worktree_for_which_there_is_no_space_leaves_nothing(
    tmp_path: Path, disk: Path, free: int, base: str
) -> None:
    repository = make_repository(tmp_path / "project", LARGE)
    worktrees = Worktrees(disk / "state", ENVIRONMENT)
    before = git(repository, "worktree", "list"), git(repository, "status", "--porcelain")
    fill(disk, free)
    with pytest.raises(BridgeError, match=r"(?i)no space left|full|unable to write|write error") as raised:
        await worktrees.create(str(repository), base=base)
    assert "space" in f"{raised.value.message} {raised.value.hint}"
    assert set(contents(disk)) <= {FILLER}
    assert (git(repository, "worktree", "list"), git(repository, "status", "--porcelain")) == before
    assert git(repository, "branch", "--list", "opencode/*") == ""
    make_room(disk)
    made = await worktrees.create(str(repository), base=base)
    assert contents(Path(made.folder)) == contents(repository)


@pytest.mark.parametrize("free", SPACES)
async def test_work_for_which_the_checkout_has_no_space_changes_nothing(tmp_path: Path, disk: Path, free: int) -> None:
    repository = make_repository(disk / "project", {"small.txt": "1\n", **LARGE})
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(repository))
    work = {name: text[: MEGABYTE // 8] for name, text in LARGE.items() if name != "large-3.txt"}
    work |= {"small.txt": "2\n" * MEGABYTE, "large-3.txt": LARGE["large-3.txt"] + "more\n" * MEGABYTE, "new.txt": "n\n"}
    put(Path(made.folder), work)
    put(repository, {"mine.txt": "mine\n"})
    before = sums(repository)
    integrator = Integrator(worktrees)
    for how in ("apply", "commit", "merge"):
        fill(disk, free)
        with pytest.raises(BridgeError, check=advises_space):
            await integrator.integrate(made, how, IntegrationOptions("message"))  # pyright: ignore[reportArgumentType] - names of ways
        make_room(disk)
        assert sums(repository) == before, how
        assert git(repository, "fsck", "--no-dangling") == ""


@pytest.mark.parametrize("free", [*SPACES, 2 * MEGABYTE])
async def test_work_that_a_full_disk_cannot_keep_is_not_discarded(tmp_path: Path, disk: Path, free: int) -> None:
    repository = make_repository(disk / "project")
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(repository))
    work = secrets.token_hex(3 * MEGABYTE)
    put(Path(made.folder), {"work.txt": work})
    fill(disk, free)
    with pytest.raises(BridgeError, match=r"Nothing was removed\."):
        await Integrator(worktrees).integrate(made, "discard", IntegrationOptions("message"))
    assert (Path(made.folder) / "work.txt").read_text() == work
    make_room(disk)
    done = await Integrator(worktrees).integrate(made, "discard", IntegrationOptions("message"))
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:work.txt") == work

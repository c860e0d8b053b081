"""Law: random changes on both sides are merged as git merges them, or nothing is changed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import ENVIRONMENT, contents, git, make_repository

NAMES = ("a.txt", "b.txt", "d/c.txt", "d/e.txt")
LINES = [f"line {number}\n" for number in range(8)]
# No edit names the last one: a worktree without files is refused (test_emptied_worktrees.py).
START = {"a.txt": "".join(LINES), "d/c.txt": "".join(reversed(LINES)), "kept.txt": "kept\n"}
Edit = tuple[str, str, int]
edits = st.lists(
    st.tuples(st.sampled_from(["line", "remove", "write", "rename"]), st.sampled_from(NAMES), st.integers(0, 7)),
    max_size=4,
)


def perform(folder: Path, done: list[Edit], side: str) -> None:
    """Change the files of one side."""
    for kind, name, number in done:
        path = folder / name
        if kind == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{side} {number}\n")
        elif path.exists() and kind == "remove":
            path.unlink()
        elif path.exists() and kind == "line":
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join([*lines[:number], f"{side}\n", *lines[number + 1 :]]))
        elif path.exists():
            path.rename(folder / f"{number % 2}-{path.name}")


def merged_by_git(repository: Path, ours: list[Edit], theirs: list[Edit]) -> dict[str, bytes] | None:
    """Return the files after git has merged the same changes as commits; None if they conflict."""
    for branch, done in (("theirs", theirs), ("ours", ours)):
        git(repository, "checkout", "--quiet", "-b", branch, "main")
        perform(repository, done, branch)
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--allow-empty", f"--message={branch}")
    try:
        # A renamed file does not move its neighbours: git would ask about that, and the caller cannot be asked.
        git(repository, "-c", "merge.directoryRenames=false", "merge", "--quiet", "--no-edit", "theirs")
    except subprocess.CalledProcessError:
        return None
    return contents(repository)


async def applied(repository: Path, state: Path, ours: list[Edit], theirs: list[Edit]) -> dict[str, bytes] | None:
    """Return the files after the changes were applied; None if they conflict, and nothing was changed."""
    worktrees = Worktrees(state, ENVIRONMENT)
    made = await worktrees.create(str(repository))
    perform(Path(made.folder), theirs, "theirs")
    perform(repository, ours, "ours")
    before = contents(repository)
    done = await Integrator(worktrees).integrate(made, "apply", IntegrationOptions(""))
    if done.conflicts:
        assert contents(repository) == before
        return None
    after = contents(repository)
    if done.changed:
        await Integrator(worktrees).integrate(made, "undo", IntegrationOptions(""))
        assert contents(repository) == before
    return after


@settings(deadline=None)
@given(ours=edits, theirs=edits)
@example(ours=[("write", "d/e.txt", 0)], theirs=[("rename", "d/c.txt", 0)])
def test_changes_are_merged_as_git_merges_them(ours: list[Edit], theirs: list[Edit]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = make_repository(Path(folder) / "first", START)
        second = Path(folder) / "second"
        shutil.copytree(first, second)
        assert anyio.run(applied, first, Path(folder) / "state", ours, theirs) == merged_by_git(second, ours, theirs)

"""An ``apply`` or ``undo`` that was interrupted, for example because git was killed, is taken back by the next call."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.repository.inherited_lock import inherited_lock
from opencode_mcp.isolation.repository.kept_commits import APPLIED, INTEGRATED, kept
from opencode_mcp.isolation.unfinished import unfinished_writes
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import contents, git, make_repository, put

pytestmark = pytest.mark.anyio
OPTIONS = IntegrationOptions("message")
FILES = {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "gone.txt": "g\n"}
WORK = {"a.txt": "a\nx\n", "b.txt": "b\nx\n", "c.txt": "c\nx\n", "new/n.txt": "n\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", FILES)


async def begun(worktrees: Worktrees, repository: Path, how: str) -> tuple[Worktree, dict[str, bytes]]:
    """Return a worktree with an ``apply`` or ``undo`` that is recorded as begun, and the files before it."""
    made = await worktrees.create(str(repository))
    put(Path(made.folder), WORK)
    (Path(made.folder) / "gone.txt").unlink()
    put(repository, {"own.txt": "own\n"})
    integrator = Integrator(worktrees)
    before = contents(repository)
    await integrator.integrate(made, "apply", OPTIONS)
    after = contents(repository)
    applied = f"refs/opencode-mcp/{made.name}/applied"
    trees = [git(repository, "rev-parse", f"{applied}{end}") for end in ("^1^{tree}", "^{tree}")]
    checkout = await worktrees.git(made.checkout)
    refs = {name: await kept(checkout, made.name, name) for name in (APPLIED, INTEGRATED)}
    now = worktrees.records.read(made.name)
    assert now
    if how == "apply":
        await integrator.integrate(made, "undo", OPTIONS)
        git(repository, "update-ref", applied, refs[APPLIED])
        refs = dict.fromkeys(refs, "")
    else:
        trees.reverse()
        before, after = after, before
    await worktrees.write(replace(now, writing={"before": trees[0], "after": trees[1], **refs}))
    assert contents(repository) == before
    write_a_part(repository, after)
    return made, before


def write_a_part(repository: Path, after: dict[str, bytes]) -> None:
    """Write one file whole, remove one before it is written, and leave the others as they were."""
    (repository / "a.txt").write_bytes(after["a.txt"])
    (repository / "b.txt").unlink()


@pytest.mark.parametrize("how", ["apply", "undo"])
async def test_the_next_call_takes_a_part_back_and_then_does_its_own(
    how: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, before = await begun(worktrees, repository, how)
    expected = {name: text.encode() for name, text in {**WORK, "own.txt": "own\n"}.items()}
    if how == "apply":
        with pytest.raises(InvalidArgument, match="No changes"):
            await integrator.integrate(made, "undo", OPTIONS)
        assert contents(repository) == before
        await integrator.integrate(made, "apply", OPTIONS)
        assert contents(repository) == expected
    await integrator.integrate(made, "undo", OPTIONS)
    assert contents(repository) == {name: text.encode() for name, text in {**FILES, "own.txt": "own\n"}.items()}


async def test_what_the_person_has_changed_since_then_stays(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, before = await begun(worktrees, repository, "apply")
    put(repository, {"a.txt": "mine\n"})
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", OPTIONS)
    assert contents(repository) == {**before, "a.txt": b"mine\n"}


async def test_a_finished_change_stays_with_what_the_person_has_changed_since_then(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, _ = await begun(worktrees, repository, "apply")
    (repository / "gone.txt").unlink()
    put(repository, {**WORK, "c.txt": "mine\nc\nx\n"})
    after = contents(repository)
    assert not (await integrator.integrate(made, "apply", OPTIONS)).changed
    assert contents(repository) == after


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lock that programs inherit")
async def test_a_git_that_goes_on_is_waited_for(
    repository: Path, worktrees: Worktrees, integrator: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished_writes, "GIT_SECONDS", 0.01)
    made, before = await begun(worktrees, repository, "apply")
    with inherited_lock(worktrees.records.writing_file(made)) as descriptors:
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=descriptors)  # noqa: ASYNC220 - our own
    with pytest.raises(GitFailed, match="still writes files"):
        await integrator.integrate(made, "undo", OPTIONS)
    program.communicate(b"\n")
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", OPTIONS)
    assert contents(repository) == before


async def test_a_file_outside_of_a_sparse_checkout_is_taken_out_again(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, before = await begun(worktrees, repository, "apply")
    git(repository, "update-index", "--skip-worktree", "c.txt")
    put(repository, {"c.txt": WORK["c.txt"]})
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", OPTIONS)
    assert contents(repository) == {name: content for name, content in before.items() if name != "c.txt"}

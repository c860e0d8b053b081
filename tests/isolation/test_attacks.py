"""Nothing that an agent can write makes git run a program while the bridge works with a worktree."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from opencode_mcp.errors import BridgeError, InvalidArgument, NotAllowed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.access.fence import Fence
from opencode_mcp.server.results.integration_text import text_of
from opencode_mcp.settings import Settings
from tests.isolation.git_repository import ENVIRONMENT, contents, git, make_repository, put

if TYPE_CHECKING:
    from opencode_mcp.isolation.integration_ways import How

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="the programs are POSIX's")]
REQUEST = IntegrationOptions("Work of OpenCode")
LINES = "".join(f"line {number}\n" for number in range(20))
ATTRIBUTES = "* filter=evil merge=evil diff=evil\n"
HOOKS = ("pre-commit", "post-checkout", "post-merge", "post-commit", "reference-transaction", "post-index-change")


class Trap:
    """Program that leaves a file behind when it is run."""

    def __init__(self, folder: Path) -> None:
        self._ran = folder / "ran"
        self.program = folder / "program"
        self.program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{self._ran}'\ncat\n")
        self.program.chmod(0o755)

    def sprung(self) -> str:
        """Return how the program was called; empty if it was not."""
        return self._ran.read_text() if self._ran.exists() else ""

    def config(self) -> str:
        """Return a configuration that names the program wherever git takes one."""
        program = self.program
        keys = {
            "core": ("fsmonitor", "sshCommand", "editor", "pager", "askPass", "alternateRefsCommand", "gitProxy"),
            'filter "evil"': ("clean", "smudge", "process"),
            'filter "evil.two = 2"': ("clean", "smudge"),
            'merge "evil"': ("driver",),
            'diff "evil"': ("command", "textconv"),
            "diff": ("external",),
            "gpg": ("program",),
            "credential": ("helper",),
            'hook "evil"': ("command",),
        }
        sections = [f"[{name}]\n" + "".join(f"\t{key} = {program}\n" for key in of) for name, of in keys.items()]
        events = "".join(f"\tevent = {name}\n" for name in HOOKS)
        return "".join(sections) + f'[hook "evil"]\n{events}[commit]\n\tgpgSign = true\n[filter "evil"]\n\trequired\n'


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": LINES, "b.txt": "b\n"})


def edit_both(repository: Path, folder: Path) -> None:
    """Change other lines of the same file on both sides, so that git has to merge it."""
    put(folder, {"a.txt": LINES.replace("line 3\n", "theirs\n"), "new.txt": "new\n", ".gitattributes": ATTRIBUTES})
    put(repository, {"a.txt": LINES.replace("line 15\n", "ours\n")})


async def bring_back_in_every_way(worktrees: Worktrees, made: Worktree, repository: Path, *, filtered: bool) -> None:
    """Apply, undo, commit and merge."""
    integrator = Integrator(worktrees)
    await integrator.pending(made)
    assert (await integrator.integrate(made, "apply", REQUEST)).changed
    assert "theirs\n" in (repository / "a.txt").read_text()
    assert (await integrator.integrate(made, "undo", REQUEST)).changed
    assert contents(repository) == {"a.txt": LINES.replace("line 15\n", "ours\n").encode(), "b.txt": b"b\n"}
    put(repository, {"a.txt": LINES})
    if filtered:
        for how in ("commit", "merge"):
            with pytest.raises(InvalidArgument, match="through a filter"):
                await integrator.integrate(made, how, REQUEST)
        return
    assert (await integrator.integrate(made, "commit", REQUEST)).commit
    put(Path(made.folder), {"more.txt": "more\n"})
    assert (await integrator.integrate(made, "merge", REQUEST)).commit
    assert {"new.txt", "more.txt"} <= contents(repository).keys()


def git_file(repository: Path, folder: Path, trap: Trap) -> None:
    """Replace the worktree's file ``.git`` by one that names a repository of the agent's."""
    own = repository.parent / "own"
    shutil.copytree(repository / ".git", own)
    (own / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n{trap.config()}")
    (folder / ".git").write_text(f"gitdir: {own}\n")


def git_folder(repository: Path, folder: Path, trap: Trap) -> None:
    """Replace the worktree's file ``.git`` by a repository of the agent's."""
    (folder / ".git").unlink()
    shutil.copytree(repository / ".git", folder / ".git")
    put(folder, {".git/config": f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n{trap.config()}"})
    for name in HOOKS:
        shutil.copy(trap.program, folder / ".git" / "hooks" / name)


@pytest.mark.parametrize("attack", [git_file, git_folder])
async def test_a_repository_that_an_agent_puts_in_place_of_the_worktrees_own_is_not_used(
    attack: Callable[[Path, Path, Trap], None], repository: Path, worktrees: Worktrees, trap: Trap
) -> None:
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    attack(repository, folder, trap)
    edit_both(repository, folder)
    await bring_back_in_every_way(worktrees, made, repository, filtered=False)
    assert trap.sprung() == ""
    git(folder, "status", check=False)
    assert trap.sprung(), "the attack itself does not work"
    await Integrator(worktrees).integrate(made, "discard", REQUEST)
    assert contents(folder) == {}


def in_config(repository: Path, trap: Trap) -> None:
    with (repository / ".git" / "config").open("a") as config:
        config.write(trap.config())


def in_included_file(repository: Path, trap: Trap) -> None:
    (repository / ".git" / "more").write_text(trap.config())
    git(repository, "config", "include.path", "more")


def in_worktrees_config(repository: Path, trap: Trap) -> None:
    git(repository, "config", "extensions.worktreeConfig", "true")
    for folder in (repository / ".git" / "worktrees").iterdir():
        (folder / "config.worktree").write_text(trap.config())


def in_hooks(repository: Path, trap: Trap) -> None:
    for name in HOOKS:
        shutil.copy(trap.program, repository / ".git" / "hooks" / name)


def in_hooks_path(repository: Path, trap: Trap) -> None:
    (repository / ".git" / "evil-hooks").mkdir()
    for name in HOOKS:
        shutil.copy(trap.program, repository / ".git" / "evil-hooks" / name)
    git(repository, "config", "core.hooksPath", str(repository / ".git" / "evil-hooks"))


@pytest.mark.parametrize("place", [in_config, in_included_file, in_worktrees_config, in_hooks, in_hooks_path])
async def test_no_program_of_the_repositorys_configuration_runs(
    place: Callable[[Path, Trap], None], repository: Path, worktrees: Worktrees, trap: Trap
) -> None:
    made = await worktrees.create(str(repository))
    edit_both(repository, Path(made.folder))
    place(repository, trap)
    second = await worktrees.create(str(repository), base=WORKING_TREE)
    await Integrator(worktrees).integrate(second, "branch", REQUEST)
    filtered = place in {in_config, in_included_file}
    await bring_back_in_every_way(worktrees, made, repository, filtered=filtered)
    await Integrator(worktrees).integrate(made, "discard", REQUEST)
    assert trap.sprung() == ""
    put(repository, {"b.txt": "changed\n"})
    git(repository, "add", "--all", check=False)
    git(repository, "checkout", "--quiet", "-b", "another", check=False)
    assert trap.sprung() or place is in_worktrees_config, "the attack itself does not work"


def evil_repository(folder: Path, trap: Trap) -> None:
    """Make a repository with files that its own configuration has a filter for."""
    make_repository(folder, {"inside.txt": "inside\n", ".gitattributes": ATTRIBUTES})
    with (folder / ".git" / "config").open("a") as config:
        config.write(trap.config())
    put(folder, {"inside.txt": "changed\n"})


async def test_a_repository_inside_of_a_worktree_is_refused_and_not_entered_and_can_be_discarded(
    repository: Path, worktrees: Worktrees, trap: Trap
) -> None:
    made = await worktrees.create(str(repository))
    evil_repository(Path(made.folder) / "vendor" / "library", trap)
    put(Path(made.folder), {"new.txt": "new\n"})
    before, work = contents(repository), contents(Path(made.folder))
    hows: tuple[How, ...] = ("apply", "commit", "merge", "branch")
    for how in hows:
        with pytest.raises(InvalidArgument, match="vendor/library/"):
            await Integrator(worktrees).integrate(made, how, REQUEST)
        assert (contents(repository), contents(Path(made.folder))) == (before, work)
    done = await Integrator(worktrees).integrate(made, "discard", REQUEST)
    assert "not kept, since they were git repositories of their own: vendor/library/" in text_of("discard", made, done)
    assert not await anyio.Path(made.folder).exists()
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:new.txt") == "new"
    assert trap.sprung() == ""


async def test_submodules_are_left_alone_and_not_entered(
    tmp_path: Path, repository: Path, worktrees: Worktrees, trap: Trap
) -> None:
    library = make_repository(tmp_path / "library")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "sub")
    git(repository, "commit", "--quiet", "--all", "--message=submodule")
    made = await worktrees.create(str(repository))
    config = repository / ".git" / "modules" / "sub" / "config"
    config.write_text(config.read_text() + trap.config())
    put(repository, {"sub/.gitattributes": ATTRIBUTES, "sub/a.txt": "mine\n"})
    put(Path(made.folder), {"b.txt": "theirs\n"})
    integrator = Integrator(worktrees)
    for how in ("apply", "undo", "commit"):
        await integrator.integrate(made, how, REQUEST)
    assert (repository / "b.txt").read_text() == "theirs\n"
    assert (repository / "sub" / "a.txt").read_text() == "mine\n"
    put(Path(made.folder), {"sub/work.txt": "lost otherwise\n"})
    with pytest.raises(InvalidArgument, match="sub"):
        await integrator.integrate(made, "branch", REQUEST)
    assert (await integrator.integrate(made, "discard", REQUEST)).not_kept == ["sub"]
    assert trap.sprung() == ""
    git(repository / "sub", "status", check=False)
    assert trap.sprung(), "the attack itself does not work"


async def test_git_gets_no_secret_of_the_bridge_and_nothing_that_redirects_it(tmp_path: Path, repository: Path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    real = shutil.which("git")
    program = tmp_path / "bin" / "git"
    program.write_text(f"#!/bin/sh\nenv >> '{seen}'\nexec '{real}' \"$@\"\n")
    program.chmod(0o755)
    hostile = {
        "PATH": f"{tmp_path / 'bin'}:{ENVIRONMENT['PATH']}",
        "OPENCODE_SERVER_PASSWORD": "hunter2",
        "ANTHROPIC_API_KEY": "hunter2",
        "GIT_DIR": str(tmp_path / "elsewhere"),
        "GIT_WORK_TREE": str(tmp_path / "elsewhere"),
        "GIT_EXTERNAL_DIFF": "hunter2",
        "GIT_SSH_COMMAND": "hunter2",
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor=hunter2'",
    }
    others = Worktrees(tmp_path / "state", {**ENVIRONMENT, **hostile})
    made = await others.create(str(repository))
    put(Path(made.folder), {"b.txt": "theirs\n"})
    await Integrator(others).integrate(made, "apply", REQUEST)
    assert (repository / "b.txt").read_text() == "theirs\n"
    assert "hunter2" not in seen.read_text()
    assert "elsewhere" not in seen.read_text()


def replaced_by_a_pipe(_repository: Path, folder: Path) -> None:
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")


def unreadable_encoding(_repository: Path, folder: Path) -> None:
    put(folder, {".gitattributes": "*.txt working-tree-encoding=UTF-16\n", "new.txt": "not UTF-16"})


def deleted_object(repository: Path, folder: Path) -> None:
    put(folder, {"new.txt": "new\n"})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=work")
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    put(folder, {"new.txt": "changed\n"})


def other_common_directory(repository: Path, folder: Path) -> None:
    shutil.copytree(repository / ".git", repository.parent / "own")
    (repository / ".git" / "worktrees" / folder.name / "commondir").write_text(str(repository.parent / "own"))
    put(folder, {"new.txt": "new\n"})


def linked_elsewhere(repository: Path, folder: Path) -> None:
    put(repository.parent / "elsewhere", {"inside/mine.txt": "mine\n"})
    (repository.parent / "elsewhere" / "inside").chmod(0o755)
    shutil.rmtree(folder)
    folder.symlink_to(repository.parent / "elsewhere")


SABOTAGE = [replaced_by_a_pipe, unreadable_encoding, deleted_object, other_common_directory, linked_elsewhere]


@pytest.mark.parametrize("sabotage", SABOTAGE)
async def test_a_worktree_can_be_discarded_whatever_was_done_to_it(
    sabotage: Callable[[Path, Path], None], repository: Path, worktrees: Worktrees
) -> None:
    made = await worktrees.create(str(repository))
    before = contents(repository)
    sabotage(repository, Path(made.folder))
    integrator = Integrator(worktrees)
    if sabotage is other_common_directory:
        assert [change.path for change in await integrator.changed(made)] == ["new.txt"]
    else:
        with pytest.raises(BridgeError):
            await integrator.integrate(made, "branch", REQUEST)
    done = await integrator.integrate(made, "discard", REQUEST)
    assert bool(done.lost) == (sabotage is not other_common_directory)
    assert not await anyio.Path(made.folder).exists()
    assert not await anyio.Path(made.folder).is_symlink()
    assert git(repository, "branch", "--list", made.branch) == ""
    assert contents(repository) == before
    if sabotage is linked_elsewhere:
        inside = repository.parent / "elsewhere" / "inside"
        assert (inside / "mine.txt").read_text() == "mine\n"
        assert inside.stat().st_mode & 0o777 == 0o755


async def test_the_refusal_of_a_worktree_that_is_a_link_does_not_say_where_it_leads(
    repository: Path, worktrees: Worktrees, tmp_path: Path
) -> None:
    made = await worktrees.create(str(repository))
    linked_elsewhere(repository, Path(made.folder))
    settings = Settings(directories=(str(repository), str(tmp_path / "elsewhere")), state_directory=tmp_path / "state")
    fence = Fence(settings, cast("Any", None), worktrees.records)
    with pytest.raises(NotAllowed) as refused:
        await fence.directory(made.folder)
    assert "replaced by a link" in str(refused.value)
    assert "elsewhere" not in str(refused.value)
    assert refused.value.change is None


async def test_a_link_that_an_agent_makes_leads_no_file_out_of_the_checkout(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    (tmp_path / "outside").mkdir()
    (repository / "folder").symlink_to(tmp_path / "outside")
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"folder/file.txt": "theirs\n"})
    done = await Integrator(worktrees).integrate(made, "apply", REQUEST)
    assert list((tmp_path / "outside").iterdir()) == []
    assert (repository / "folder").is_symlink()
    assert done.conflicts

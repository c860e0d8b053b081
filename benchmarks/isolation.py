"""An isolated run in a repository of 20,000 files, and bringing its work back, beside git and OpenCode alone."""

import time
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call
from benchmarks.work import PATIENCE, TITLE, directly
from benchmarks.world import World, milliseconds_since
from tests.harness.bridges.rawrpc import RawClient
from tests.harness.project import commit, git, make_project
from tests.scripted_model.script import script, text, write

FOLDERS = 200
FILES_A_FOLDER = 100
ROUNDS = 5
PROMPT = script(write("made.txt", "made\n"), text("Done."))
MOST_MS = 1000.0
"""Milliseconds that an isolated run may take longer than git and OpenCode need for the same."""


async def isolation(world: World) -> list[Row]:
    """Measure it."""
    project = _large_project(world.project.parent / "large")
    async with world.bridge(project=project) as bridge, world.direct(project) as http:
        both = _Both(world, project, bridge, http)
        beside_git = await interleaved(both.isolated, both.in_own_worktree, rounds=ROUNDS)
        beside_plain = await interleaved(both.isolated, both.plain, rounds=ROUNDS)
        back = await interleaved(both.bring_back, both.merge, rounds=ROUNDS)
    return [
        paired_row(
            "isolated run in 20,000 files beside git worktree add and the prompt there", beside_git, most=MOST_MS
        ),
        paired_row("the same beside a run without isolation", beside_plain),
        paired_row("opencode_integrate how=apply there beside git add and git diff of the worktree", back),
    ]


class _Both:
    """The bridge, and the way without it, in the large project."""

    def __init__(self, world: World, project: Path, bridge: RawClient, http: httpx.AsyncClient) -> None:
        self._project = project
        self._bridge = bridge
        self._http = http
        self._directly = directly(world)
        self._folder = world.project.parent / "worktrees"

    async def isolated(self) -> float:
        """Run a prompt in a worktree that the bridge makes."""
        return await self._run(isolate=True)

    async def plain(self) -> float:
        """Run a prompt in the project."""
        return await self._run()

    async def _run(self, **chosen: bool) -> float:
        return await timed_call(
            self._bridge,
            "opencode_run",
            prompt=PROMPT,
            title=TITLE,
            directory=str(self._project),
            wait_seconds=PATIENCE,
            **chosen,
        )

    async def in_own_worktree(self) -> float:
        """Make a worktree with git, and send the prompt there."""
        began = time.perf_counter()
        folder = self._worktree()
        await self._directly(self._http, PROMPT, directory=str(folder))
        return milliseconds_since(began)

    def _worktree(self) -> Path:
        folder = self._folder / uuid4().hex
        git(self._project, "worktree", "add", "--quiet", "-b", folder.name, str(folder))
        return folder

    async def bring_back(self) -> float:
        """Bring the work of an isolated run back; the run itself does not count."""
        (self._project / "made.txt").unlink(missing_ok=True)
        arguments = {"prompt": PROMPT, "directory": str(self._project), "isolate": True, "wait_seconds": PATIENCE}
        report = await self._bridge.call("opencode_run", **arguments)
        session_id = report["structuredContent"]["session_id"]
        return await timed_call(self._bridge, "opencode_integrate", session_id=session_id, how="apply")

    async def merge(self) -> float:
        """Have git compare a worktree with its base, which every way of bringing work back has to do."""
        folder = self._worktree()
        (folder / "made.txt").write_text("made\n", encoding="utf-8")
        began = time.perf_counter()
        git(folder, "add", "--all")
        git(folder, "diff", "--cached", "--binary")
        return milliseconds_since(began)


def _large_project(folder: Path) -> Path:
    folder.mkdir()
    make_project(folder)
    for number in range(FOLDERS):
        inside = folder / f"part{number}"
        inside.mkdir()
        for each in range(FILES_A_FOLDER):
            (inside / f"file{each}.txt").write_text(f"{number} {each}\n" * 20, encoding="utf-8")
    commit(folder)
    return folder

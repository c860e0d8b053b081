"""Runs under faults: each ends in a true report, none hangs, and none is begun twice.

A failure names its seeds. ``FAULT_SEEDS=7,12`` plays those alone, and ``FAULT_SEEDS=all`` all two hundred, as
``make attack`` does, on both generations of OpenCode.
"""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from opencode_mcp.opencode.versions import Generation
from tests.harness.failures import unwrapped
from tests.harness.faults.lossy_proxy import LossyProxy, lossy_proxy_to
from tests.harness.processes.process import kill
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.own_opencode import AnyOpenCode, Startable, startable
from tests.integration.rounds import (
    HANG,
    Desk,
    Host,
    Round,
    check_truth,
    long_stall,
    settings_for,
    wire_faults,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.long, pytest.mark.both_generations]

Faults = Callable[[Round, LossyProxy, Desk], Coroutine[object, object, None]]
AT_ONCE = 8
WIRE, STALLED, KILLED = range(140), range(1000, 1040), range(2000, 2020)
"""The seeds of each kind of round: 200 in all."""
EACH: Mapping[Generation, int] = {1: 10, 2: 20}
"""One in so many is played in an ordinary test run."""
TOGETHER = 5
"""Rounds that share one killed OpenCode."""


def chosen(seeds: range, generation: Generation) -> list[int]:
    named = os.environ.get("FAULT_SEEDS")
    if named == "all":
        return list(seeds)
    if named:
        return [seed for seed in seeds if str(seed) in named.split(",")]
    return list(seeds[:: EACH[generation]])


@pytest.fixture
def asking_project(tmp_path: Path) -> Path:
    project = make_project(tmp_path / "project")
    configure(project, {"permission": {"bash": "ask"}})
    return project


async def play_all(seeds: Sequence[int], at_once: int, play: Callable[[Round], Awaitable[None]]) -> None:
    """Play rounds side by side, and fail with the seeds of those that went wrong."""
    failed: list[str] = []
    places = anyio.CapacityLimiter(at_once)

    async def play_one(seed: int) -> None:
        game = Round(seed)
        async with places:
            try:
                with anyio.fail_after(HANG):
                    await play(game)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all rounds are reported
                failed.append(f"{game}: {error!r}")

    async with anyio.create_task_group() as rounds:
        for seed in seeds:
            rounds.start_soon(play_one, seed)
    assert not failed, "\n".join(failed)


async def play_on_wire(game: Round, faults: Faults, server: AnyOpenCode, project: Path, folder: Path) -> None:
    """One round with faults between the bridge and an OpenCode that lives."""
    opencode = backend(server, project)
    async with opencode.http, lossy_proxy_to(server.url) as proxy:
        desk = Desk(settings_for(game, proxy.url, server, project, folder), game)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(faults, game, proxy, desk)
            await desk.stay(Host(game, opencode).work)
            tasks.cancel_scope.cancel()
        await check_truth(game, opencode, survived=True)


async def test_faults_of_the_wire_and_of_the_bridge(
    opencode_server: AnyOpenCode, opencode_generation: Generation, asking_project: Path, tmp_path: Path
) -> None:
    async def play(game: Round) -> None:
        await play_on_wire(game, wire_faults, opencode_server, asking_project, tmp_path)

    await play_all(chosen(WIRE, opencode_generation), AT_ONCE, play)


async def test_a_wire_that_stalls_for_half_a_minute(
    opencode_server: AnyOpenCode, opencode_generation: Generation, asking_project: Path, tmp_path: Path
) -> None:
    async def play(game: Round) -> None:
        await play_on_wire(game, long_stall, opencode_server, asking_project, tmp_path)

    await play_all(chosen(STALLED, opencode_generation), len(STALLED), play)


async def test_an_opencode_that_is_killed_and_comes_back(
    scripted_model: ScriptedModel, opencode_generation: Generation, asking_project: Path, tmp_path: Path
) -> None:
    seeds = chosen(KILLED, opencode_generation)
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            for first in range(0, len(seeds), TOGETHER):
                folder = tmp_path / f"from-{first}"
                folder.mkdir()
                server = startable(opencode_generation, folder, scripted_model)
                tasks.start_soon(kill_under, seeds[first : first + TOGETHER], server, asking_project, folder)


async def kill_under(seeds: Sequence[int], start: Startable, project: Path, folder: Path) -> None:
    """Kill an OpenCode in the middle of some rounds, and serve it again at the same address."""
    back = anyio.Event()
    async with AsyncExitStack() as servers:
        server = await servers.enter_async_context(serving(start(folder / "killed.log")))
        opencode = backend(server, project)

        async def play(game: Round) -> None:
            desk = Desk(settings_for(game, server.url, server, project, folder), game)
            host = Host(game, opencode)
            await desk.stay(host.work)
            await back.wait()
            # What was lost from sight has its true end on record.
            await desk.stay(host.work)
            # The connections to the killed one are of no use.
            restarted = backend(server, project)
            async with restarted.http:
                await check_truth(game, restarted, survived=False)

        async with opencode.http, anyio.create_task_group() as tasks:
            await opencode.load()
            tasks.start_soon(play_all, seeds, TOGETHER, play)
            await eventually(opencode.busy, seconds=HANG)
            await anyio.sleep(Round(seeds[0]).dice.uniform(0, 1.5))
            kill(server.process)
            await servers.enter_async_context(serving(start(folder / "restarted.log")))
            back.set()


@asynccontextmanager
async def serving(server: AbstractContextManager[AnyOpenCode]) -> AsyncGenerator[AnyOpenCode]:
    """Serve OpenCode, and leave the event loop free while it starts."""
    yielded = await to_thread.run_sync(server.__enter__)
    try:
        yield yielded
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(server.__exit__, None, None, None)

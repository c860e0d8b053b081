"""1, 10 and 50 runs at once through one bridge: how many a second, how much memory, and that none is lost.

Beside it the same prompts go to OpenCode directly, at once as well. A run reads a file, then streams its answer.
"""

import time
from functools import partial
from statistics import median

import anyio

from benchmarks.memory import watched
from benchmarks.table import Row
from benchmarks.work import HandOver, Incomplete, directly, through_bridge
from benchmarks.world import World
from tests.harness.bridges.rawrpc import RawClient
from tests.scripted_model.script import script, step, tool, words

ROUNDS = {1: 9, 10: 5, 50: 3}
"""Number of measurements, by the number of runs at once."""
MOST_MEGABYTES = 1.0
"""Memory that a run may add."""
PROMPT = script(step(tool("read", filePath="README.md")), words(40, chunk=2, delay=0.02))


async def many_runs(world: World) -> list[Row]:
    """Measure it."""
    async with world.bridge() as bridge, world.direct() as http:
        await through_bridge(bridge, PROMPT)
        rows: list[Row] = []
        for at_once in ROUNDS:
            rows += await _rows(bridge, partial(directly(world), http), at_once)
    return rows


async def _rows(bridge: RawClient, direct: HandOver, at_once: int) -> list[Row]:
    rates: list[float] = []
    direct_rates: list[float] = []
    lost = 0
    async with watched(bridge.process.pid) as memory:
        for _ in range(ROUNDS[at_once]):
            rate, failed = await _all_at_once(partial(through_bridge, bridge), at_once)
            rates.append(rate)
            lost += failed
            direct_rates.append((await _all_at_once(direct, at_once))[0])
    runs = at_once * ROUNDS[at_once]
    speed = Row(
        measured=f"{at_once} at once: runs a second, beside direct requests ({runs - lost} of {runs} completed)",
        ours=f"{median(rates):.2f}/s",
        beside=f"{median(direct_rates):.2f}/s",
        ratio=f"{median(rates) / median(direct_rates):.2f}",
        target="all complete",
        met=lost == 0,
    )
    return [speed, *_memory_rows(memory.growth, at_once)]


def _memory_rows(growth: float | None, at_once: int) -> list[Row]:
    """Make the row of the bridge's growth; with a single run, growth is noise, and there is no row."""
    if growth is None or at_once == 1:
        return []
    each = growth / at_once
    return [
        Row(
            measured=f"{at_once} at once: most memory that the bridge took, for each run at once",
            ours=f"{each:.2f} MB",
            target=f"under {MOST_MEGABYTES:g} MB",
            met=each < MOST_MEGABYTES,
        )
    ]


async def _all_at_once(hand_over: HandOver, count: int) -> tuple[float, int]:
    """Hand over the prompt so many times; give how many were done in a second, and how many did not complete."""
    lost = 0

    async def one() -> None:
        nonlocal lost
        try:
            await hand_over(PROMPT)
        except Incomplete:
            lost += 1

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return count / (time.perf_counter() - began), lost

"""A batch of 20 tasks, of which four run at once, beside 20 direct runs, of which four run at once, too."""

import time
from functools import partial
from statistics import median

import anyio

from benchmarks.table import Row
from benchmarks.work import PATIENCE, TITLE, HandOver, Incomplete, directly
from benchmarks.world import World
from tests.harness.bridges.rawrpc import RawClient
from tests.scripted_model.script import script, step, tool, words

TASKS = 20
AT_ONCE = 4
ROUNDS = 3
PROMPT = script(step(tool("read", filePath="README.md")), words(40, chunk=2, delay=0.02))


async def batch(world: World) -> list[Row]:
    """Measure it."""
    batches: list[float] = []
    direct: list[float] = []
    async with world.bridge() as bridge, world.direct() as http:
        hand_over = partial(directly(world), http)
        await hand_over(PROMPT)
        await _batch(bridge, 1)
        for _ in range(ROUNDS):
            batches.append(await _batch(bridge, TASKS))
            direct.append(await _direct(hand_over))
    return [
        Row(
            measured=f"a batch of {TASKS}, {AT_ONCE} at once, beside direct requests",
            ours=f"{median(batches):.1f} s",
            beside=f"{median(direct):.1f} s",
            ratio=f"{median(batches) / median(direct):.2f}",
            target="all complete",
            met=True,
        )
    ]


async def _batch(bridge: RawClient, count: int) -> float:
    """Queue a batch, and return the seconds until its table says that all tasks are completed.

    Raises:
        Incomplete: Not all of them are.
    """
    tasks = [{"prompt": PROMPT, "title": TITLE} for _ in range(count)]
    arguments = {"tasks": tasks, "parallel": AT_ONCE, "wait_seconds": PATIENCE}
    began = time.perf_counter()
    number = await bridge.send("tools/call", {"name": "opencode_run_many", "arguments": arguments})
    reply = await bridge.reply(number, seconds=PATIENCE)
    if reply.get("result", {}).get("structuredContent", {}).get("totals", {}).get("completed") != count:
        raise Incomplete(reply)
    return time.perf_counter() - began


async def _direct(hand_over: HandOver) -> float:
    places = anyio.CapacityLimiter(AT_ONCE)

    async def one() -> None:
        async with places:
            await hand_over(PROMPT)

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(TASKS):
            tasks.start_soon(one)
    return time.perf_counter() - began

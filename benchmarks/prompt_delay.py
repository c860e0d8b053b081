"""Measure the time from the call of ``opencode_run`` to the model's request, and the same with direct requests.

The clock stops on both sides at the same event: the model waits at a hold point at the beginning of its answer.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import anyio
import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.work import DIRECT_REQUESTS, HandOver, directly, through_bridge
from benchmarks.world import World, milliseconds_since
from tests.harness.project import make_project
from tests.scripted_model.script import hold, script, step, text

ROUNDS = 25
NEW_ROUNDS = 10
"""Rounds in new directories: OpenCode keeps 20 MB for each of them."""
MOST_MS = 60.0
MOST_NEW_MS = 150.0
QUIET = 0.3
"""Seconds after which whatever the end of a run set off is over."""
MODEL = "scripted/m1"


async def prompt_delay(world: World) -> list[Row]:
    """Measure it with and without a model in a directory that is in use, and in new directories."""
    folder = world.project.with_name("new")
    folder.mkdir()
    places = _new_projects(folder)
    async with (
        world.bridge() as bridge,
        world.bridge(project=folder / "*") as elsewhere,
        world.direct() as http,
        world.scripted_model() as model,
    ):
        measure, direct = partial(_time, model), directly(world)
        default = await interleaved(
            partial(measure, partial(through_bridge, bridge)),
            partial(measure, partial(direct, http)),
            rounds=ROUNDS,
        )
        named = await interleaved(
            partial(measure, partial(through_bridge, bridge, model=MODEL)),
            partial(measure, partial(direct, http, model=MODEL)),
            rounds=ROUNDS,
        )
        new = await interleaved(
            partial(_time_new, measure, places, lambda place: partial(through_bridge, elsewhere, directory=place)),
            partial(_time_new, measure, places, lambda place: partial(direct, http, directory=place)),
            rounds=NEW_ROUNDS,
        )
    beside = f"beside {DIRECT_REQUESTS[world.generation]}"
    return [
        paired_row(f"call of opencode_run to the model's request, {beside}", default, most=MOST_MS),
        paired_row(f"the same with `model`, {beside}", named, most=MOST_MS),
        paired_row(f"the same in a new directory, {beside}", new, most=MOST_NEW_MS),
    ]


async def _time(model: httpx.AsyncClient, hand_over: HandOver) -> float:
    begin = uuid4().hex
    prompt = script(step(hold(begin), text("This is the answer.")))
    took = 0.0
    async with anyio.create_task_group() as tasks:
        began = time.perf_counter()
        tasks.start_soon(hand_over, prompt)
        (await model.get(f"/reached/{begin}")).raise_for_status()
        took = milliseconds_since(began)
        (await model.post(f"/release/{begin}")).raise_for_status()
    await anyio.sleep(QUIET)
    return took


async def _time_new(
    measure: Callable[[HandOver], Awaitable[float]],
    places: Iterator[str],
    hand_over_in: Callable[[str], HandOver],
) -> float:
    return await measure(hand_over_in(next(places)))


def _new_projects(folder: Path) -> Iterator[str]:
    for number in count():
        place = folder / f"project{number}"
        place.mkdir()
        make_project(place)
        yield str(place)

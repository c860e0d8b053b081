"""Measure the time from the model's last byte to the result, and the same with direct requests.

The model waits at a hold point before the end of its answer. On both sides, the clock starts when the model continues,
and stops when the caller has the whole result.
"""

import time
from collections.abc import Mapping
from functools import partial
from uuid import uuid4

import anyio
import httpx

from benchmarks.samples import Pairs, interleaved
from benchmarks.table import Row, paired_row
from benchmarks.work import HandOver, directly, through_bridge
from benchmarks.world import World, milliseconds_since
from opencode_mcp.opencode.versions import Generation
from tests.scripted_model.script import hold, script, step, text

ROUNDS = 25
MOST_MS = 10.0
LAST_REQUESTS: Mapping[Generation, str] = {
    1: "POST /session/{id}/message",
    2: "the end of the wait for the session, and a read of its messages",
}
"""Requests that return the result."""
BEGIN = script(step(text("This begins a session.")))
QUIET = 0.3
"""Seconds after which whatever the begin of a run set off is over."""


async def result_delay(world: World) -> list[Row]:
    """Measure it for first prompts, and for later ones of a session."""
    direct = directly(world)
    async with world.bridge() as bridge, world.direct() as http, world.scripted_model() as model:
        first = await _pairs(model, partial(through_bridge, bridge), partial(direct, http))
        ours, other = await through_bridge(bridge, BEGIN), await direct(http, BEGIN)
        later = await _pairs(
            model, partial(through_bridge, bridge, session_id=ours), partial(direct, http, session=other)
        )
    beside = LAST_REQUESTS[world.generation]
    return [
        paired_row(f"model's last byte to the result of opencode_run beside {beside}", first, most=MOST_MS),
        paired_row("the same for later prompts of a session", later, most=MOST_MS),
    ]


async def _pairs(model: httpx.AsyncClient, ours: HandOver, beside: HandOver) -> Pairs:
    return await interleaved(partial(_time, model, ours), partial(_time, model, beside), rounds=ROUNDS, discarded=2)


async def _time(model: httpx.AsyncClient, hand_over: HandOver) -> float:
    end = uuid4().hex
    prompt = script(step(text("This is the answer."), hold(end)))
    began = 0.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand_over, prompt)
        (await model.get(f"/reached/{end}")).raise_for_status()
        await anyio.sleep(QUIET)
        began = time.perf_counter()
        (await model.post(f"/release/{end}")).raise_for_status()
    return milliseconds_since(began)

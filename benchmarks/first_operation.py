"""The first ``opencode_read_operation`` of a bridge, beside the request that it makes, and ``GET /doc``."""

from functools import partial

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call, timed_get
from benchmarks.world import World

ROUNDS = 10
MOST_MS = 150.0
"""Milliseconds: what handles an operation is imported by the first call of one."""


async def first_operation(world: World) -> list[Row]:
    """Measure it."""
    async with world.direct() as http:
        pairs = await interleaved(partial(_first, world), partial(timed_get, http, "/vcs"), rounds=ROUNDS)
        document = await interleaved(partial(_first, world), partial(_document, http), rounds=3, discarded=0)
    return [
        paired_row("first opencode_read_operation of a bridge beside GET /vcs", pairs, most=MOST_MS),
        paired_row("the same beside GET /doc, for which it does not wait", document),
    ]


async def _first(world: World) -> float:
    async with world.bridge() as bridge:
        # OpenCode is found, and the project is open.
        await bridge.call("opencode_read_file", path=".")
        return await timed_call(bridge, "opencode_read_operation", operation="vcs.get")


async def _document(http: httpx.AsyncClient) -> float:
    return await timed_get(http, "/doc")

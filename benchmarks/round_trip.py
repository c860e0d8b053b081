"""A trivial tool's round trip: ``opencode_read_file`` of a small file, beside the one request that it stands for."""

import time
from functools import partial

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.world import World, milliseconds_since
from tests.harness.rawrpc import RawClient

ROUNDS = 300
MOST = 2.0
FILE = "README.md"


async def round_trip(world: World) -> list[Row]:
    """Measure it."""
    async with world.bridge() as bridge, world.direct() as http:
        pairs = await interleaved(partial(_call, bridge), partial(_get, http), rounds=ROUNDS, discarded=20)
    return [paired_row("opencode_read_file of a small file beside GET /file/content", pairs, most=MOST)]


async def _call(bridge: RawClient) -> float:
    began = time.perf_counter()
    result = await bridge.call("opencode_read_file", path=FILE)
    took = milliseconds_since(began)
    if result.get("isError"):
        raise RuntimeError(f"opencode_read_file failed: {result}")
    return took


async def _get(http: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    reply = await http.get("/file/content", params={"path": FILE})
    reply.raise_for_status().json()
    return milliseconds_since(began)

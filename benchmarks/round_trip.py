"""A trivial tool's round trip: ``opencode_list_files`` of a small folder, beside the one request that it stands for."""

import time
from functools import partial

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.work import call
from benchmarks.world import World, milliseconds_since

ROUNDS = 300
MOST = 2.0
FOLDER = "src"


async def round_trip(world: World) -> list[Row]:
    """Measure it."""
    async with world.bridge() as bridge, world.direct() as http:
        ours = partial(call, bridge, "opencode_list_files", path=FOLDER)
        pairs = await interleaved(ours, partial(_get, http), rounds=ROUNDS, discarded=20)
    return [paired_row("opencode_list_files of a small folder beside GET /file", pairs, most=MOST)]


async def _get(http: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    (await http.get("/file", params={"path": FOLDER})).raise_for_status().json()
    return milliseconds_since(began)

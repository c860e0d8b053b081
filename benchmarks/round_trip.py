"""A trivial tool's round trip: ``opencode_read_file`` of a small folder, beside the one request that it stands for."""

from collections.abc import Mapping
from functools import partial

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call, timed_get
from benchmarks.world import World
from opencode_mcp.opencode.versions import Generation

ROUNDS = 200
MOST = 2.0
REST = 0.06
"""Seconds between calls. Asked without a pause, OpenCode does something else for 6 of every 15 ms, as measured: a reply
takes 2 ms or 8, and which of the two sides falls into that is chance."""
FOLDER = "src"
LIST: Mapping[Generation, str] = {1: "/file", 2: "/api/fs/list"}
"""Path of the request that lists a folder."""


async def round_trip(world: World) -> list[Row]:
    """Measure it."""
    async with world.bridge() as bridge, world.direct() as http:
        pairs = await interleaved(
            partial(timed_call, bridge, "opencode_read_file", path=FOLDER),
            partial(timed_get, http, LIST[world.generation], path=FOLDER),
            rounds=ROUNDS,
            discarded=20,
            rest=REST,
        )
    return [paired_row(f"opencode_read_file of a small folder beside GET {LIST[world.generation]}", pairs, most=MOST)]

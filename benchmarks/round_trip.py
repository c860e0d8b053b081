"""A trivial tool's round trip: ``opencode_read_file`` of a small folder, beside the one request that it makes.

A server of the SDK needs most of this time by itself, so the same is measured beside a bare one with one tool.
"""

from collections.abc import Mapping
from functools import partial

from benchmarks.bare_request_server import TOOL
from benchmarks.samples import Pairs, Timed, interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call, timed_get
from benchmarks.world import World
from opencode_mcp.opencode.versions import Generation

ROUNDS = 200
MOST_MS = 2.0
MOST_OVER_BARE_MS = 1.0
REST = 0.06
"""Seconds between calls. Asked without a pause, OpenCode does something else for 6 of every 15 ms, as measured: a reply
takes 2 ms or 8, and which of the two sides falls into that is chance."""
FOLDER = "src"
LIST: Mapping[Generation, str] = {1: "/file", 2: "/api/fs/list"}
"""Path of the request that lists a folder."""


async def round_trip(world: World) -> list[Row]:
    """Measure it."""
    path = LIST[world.generation]
    async with world.bridge() as bridge, world.bare_server(path) as bare, world.direct() as http:
        ours = partial(timed_call, bridge, "opencode_read_file", path=FOLDER)
        beside_request = await _pairs(ours, partial(timed_get, http, path, path=FOLDER))
        beside_bare = await _pairs(ours, partial(timed_call, bare, TOOL, path=FOLDER))
    return [
        paired_row(f"opencode_read_file of a small folder beside GET {path}", beside_request, most=MOST_MS),
        paired_row("the same beside a bare SDK server that makes this request", beside_bare, most=MOST_OVER_BARE_MS),
    ]


async def _pairs(ours: Timed, beside: Timed) -> Pairs:
    return await interleaved(ours, beside, rounds=ROUNDS, discarded=20, rest=REST)

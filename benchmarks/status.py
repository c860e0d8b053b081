"""``opencode_status`` beside the slowest of the requests that it makes."""

from collections.abc import Mapping, Sequence
from functools import partial

import httpx

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call, timed_get
from benchmarks.world import World
from opencode_mcp.opencode.versions import Generation

ROUNDS = 15
MOST_MS = 100.0
PATHS: Mapping[Generation, Sequence[str]] = {
    1: (
        "/global/health",
        "/vcs",
        "/session/status",
        "/agent",
        "/config",
        "/config/providers",
    ),
    2: (
        "/api/info",
        "/api/vcs",
        "/api/session/active",
        "/api/agent",
        "/api/model/default",
        "/api/model",
    ),
}


async def status(world: World) -> list[Row]:
    """Measure it."""
    paths = PATHS[world.generation]
    async with world.bridge() as bridge, world.direct() as http:
        pairs = await interleaved(
            partial(timed_call, bridge, "opencode_status"), partial(_slowest, http, paths), rounds=ROUNDS, discarded=2
        )
    return [paired_row(f"opencode_status beside the slowest of its {len(paths)} requests", pairs, most=MOST_MS)]


async def _slowest(http: httpx.AsyncClient, paths: Sequence[str]) -> float:
    """Send each request by itself, and give the milliseconds of the slowest."""
    return max([await timed_get(http, path) for path in paths])

"""Count the HTTP requests that OpenCode gets for a short run in a new session, and the bytes of the largest response.

A server between the bridge and OpenCode counts them, so they hardly depend on the machine's load. But a silence of two
seconds leads to another read, so the median of several runs counts.
"""

from collections.abc import Mapping
from statistics import median

from benchmarks.table import Row
from benchmarks.work import DIRECT_REQUESTS, through_bridge
from benchmarks.world import World
from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.rawrpc import RawClient
from tests.harness.faults.altered import Altered, altered
from tests.scripted_model.script import script, text

ROUNDS = 7
MOST_REQUESTS = 7
MOST_WITH_MODEL_AND_AGENT: Mapping[Generation, int] = {1: 7, 2: 9}
"""Limits with a model and an agent: each takes a request that checks if it exists.

OpenCode 2 needs up to seven without them: a prompt, its end and its answer are requests of their own there.
"""
MOST_REPLY_BYTES = 200_000
PROMPT = script(text("This is the answer."))


async def requests(world: World) -> list[Row]:
    """Count them."""
    with altered(world.opencode.url) as counting:
        async with world.bridge(url=counting.url) as bridge:
            await through_bridge(bridge, PROMPT)
            counting.sizes.clear()
            default = [await _count(counting, bridge) for _ in range(ROUNDS)]
            chosen = [await _count(counting, bridge, model="scripted/m1", agent="build") for _ in range(ROUNDS)]
            await bridge.call("opencode_status")
            largest = max(counting.sizes.values())
    beside = DIRECT_REQUESTS[world.generation]
    return [
        _row(f"HTTP requests of a run in a new session, beside {beside}", default, most=MOST_REQUESTS),
        _row("the same with `model` and `agent`", chosen, most=MOST_WITH_MODEL_AND_AGENT[world.generation]),
        Row(
            measured="largest reply on the way of a prompt, a wait or a status",
            ours=f"{largest / 1000:.1f} KB",
            target=f"at most {MOST_REPLY_BYTES / 1000:.0f} KB",
            met=largest <= MOST_REPLY_BYTES,
        ),
    ]


def _row(measured: str, counts: list[int], *, most: int) -> Row:
    found = median(counts)
    return Row(measured=measured, ours=f"{found:g}", target=f"at most {most}", met=found <= most)


async def _count(counting: Altered, bridge: RawClient, **chosen: str) -> int:
    before = len(counting.requests)
    await through_bridge(bridge, PROMPT, **chosen)
    return len(counting.requests) - before

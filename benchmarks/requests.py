"""Count the HTTP requests that OpenCode gets for a short run in a new session, and the bytes of the largest response.

A server between the bridge and OpenCode counts them, so they hardly depend on the machine's load. But a run whose last
events arrive all at once is read once more, so the median of several runs counts.
"""

from statistics import median

from benchmarks.table import Row
from benchmarks.work import through_bridge
from benchmarks.world import World
from tests.harness.altered import Altered, altered
from tests.harness.rawrpc import RawClient
from tests.scripted_model.script import script, text

ROUNDS = 7
MOST = 7
MOST_CHOSEN = 7
LARGEST = 200_000
"""Bytes."""
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
    return [
        _row("HTTP requests of a run in a new session, beside two direct posts", default, beside="2", most=MOST),
        _row("the same with `model` and `agent`", chosen, beside="2", most=MOST_CHOSEN),
        Row(
            measured="largest reply on the way of a prompt, a wait or a status",
            ours=f"{largest / 1000:.1f} KB",
            target=f"at most {LARGEST / 1000:.0f} KB",
            met=largest <= LARGEST,
        ),
    ]


def _row(measured: str, counts: list[int], *, beside: str, most: int) -> Row:
    found = median(counts)
    return Row(measured=measured, ours=f"{found:g}", beside=beside, target=f"at most {most}", met=found <= most)


async def _count(counting: Altered, bridge: RawClient, **chosen: str) -> int:
    before = len(counting.requests)
    await through_bridge(bridge, PROMPT, **chosen)
    return len(counting.requests) - before

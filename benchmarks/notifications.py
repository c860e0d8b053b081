"""Time from a change in OpenCode to the notification of a subscriber, beside the event of it on a stream of our own."""

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx
from httpx_sse import ServerSentEvent, aconnect_sse

from benchmarks.samples import Pairs
from benchmarks.table import Row, paired_row
from benchmarks.work import TITLE
from benchmarks.world import World, milliseconds_since
from tests.harness.bridges.notifications import UPDATED, subscribe
from tests.harness.bridges.rawrpc import MODERN, Host, RawClient

ROUNDS = 30
MOST_MS = 200.0
PAUSE_SECONDS = 0.4
"""Time between two changes: a subscriber gets at most four notifications a second about one address."""


async def notifications(world: World) -> list[Row]:
    """Measure it."""
    pairs = Pairs()
    async with world.bridge(Host(protocol=MODERN)) as bridge, world.direct() as http:
        session: dict[str, Any] = (await http.post("/session", json={"title": TITLE})).raise_for_status().json()
        await subscribe(bridge, f"opencode://session/{session['id']}/transcript")
        async with aconnect_sse(http, "GET", "/global/event") as stream:
            events = stream.aiter_sse()
            for number in range(ROUNDS):
                await anyio.sleep(PAUSE_SECONDS)
                await _time(pairs, bridge, events, partial(_change, http, session["id"]), f"Change {number}.")
    return [
        paired_row(
            "a change to a subscriber's notification, beside its event on OpenCode's stream", pairs, most=MOST_MS
        )
    ]


async def _time(
    pairs: Pairs,
    bridge: RawClient,
    events: AsyncIterator[ServerSentEvent],
    change: partial[Any],
    said: str,
) -> None:
    nth = len(bridge.messages(UPDATED)) + 1
    async with anyio.create_task_group() as tasks:
        began = time.perf_counter()

        async def receive() -> None:
            await bridge.message(UPDATED, nth=nth)
            pairs.ours.append(milliseconds_since(began))

        async def see() -> None:
            async for event in events:
                if said in event.data:
                    break
            pairs.beside.append(milliseconds_since(began))

        tasks.start_soon(receive)
        tasks.start_soon(see)
        await change(said)


async def _change(http: httpx.AsyncClient, session_id: str, said: str) -> None:
    """Add a message that asks the model nothing."""
    body = {"noReply": True, "parts": [{"type": "text", "text": said}]}
    (await http.post(f"/session/{session_id}/message", json=body)).raise_for_status()

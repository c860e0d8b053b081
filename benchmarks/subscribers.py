"""Count the streams that OpenCode keeps for 200 subscribers to 50 busy sessions, and check that all are notified.

A relay between the bridge and OpenCode counts the requests for a stream.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, SocketAttribute, SocketStream

from benchmarks.table import Row
from benchmarks.work import TITLE
from benchmarks.world import World
from tests.harness.bridges.notifications import notification_count, subscribe
from tests.harness.bridges.rawrpc import MODERN, Host, RawClient
from tests.harness.waiting import eventually
from tests.scripted_model.script import hold, script, step, words

SESSIONS = 50
SUBSCRIBERS = 200
DEADLINE_SECONDS = 300.0
STREAM_REQUESTS = (b"GET /global/event", b"GET /event")


@dataclass(slots=True)
class Relay:
    """Passes connections on to OpenCode, and counts the streams that are asked for."""

    host: str
    port: int
    url: str = ""
    streams: int = 0

    async def serve(self, client: SocketStream) -> None:
        """Pass one connection on."""
        server = await anyio.connect_tcp(self.host, self.port)
        async with client, server, anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_on, client, server)
            await self._pass_on(server, client)
            tasks.cancel_scope.cancel()

    async def _pass_on(self, source: ByteReceiveStream, sink: ByteSendStream) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async for data in source:
                self.streams += sum(data.count(request) for request in STREAM_REQUESTS)
                await sink.send(data)


async def subscribers(world: World) -> list[Row]:
    """Measure it."""
    async with _relay_to(world.opencode.url) as relay, world.bridge(Host(protocol=MODERN), url=relay.url) as bridge:
        go = uuid4().hex
        sessions = [await _begin(bridge, go) for _ in range(SESSIONS)]
        uris = [f"opencode://session/{session}/transcript" for session in sessions]
        for number in range(SUBSCRIBERS):
            await subscribe(bridge, uris[number % SESSIONS])
        await world.model.release(go)
        expected = SUBSCRIBERS // SESSIONS

        async def all_notified() -> bool:
            return all(notification_count(bridge, uri) >= expected for uri in uris)

        await eventually(all_notified, seconds=DEADLINE_SECONDS)
    return [
        Row(
            measured=f"upstream streams for {SUBSCRIBERS} subscribers to {SESSIONS} busy sessions, all notified",
            ours=str(relay.streams),
            target="1",
            met=relay.streams == 1,
        )
    ]


async def _begin(bridge: RawClient, go: str) -> str:
    """Start a run that writes once it is released, and return its session."""
    prompt = script(step(hold(go), words(40, chunk=2, delay=0.05)))
    result = await bridge.call("opencode_run", prompt=prompt, title=TITLE, wait_seconds=0)
    return str(result["structuredContent"]["session_id"])


@asynccontextmanager
async def _relay_to(url: str) -> AsyncGenerator[Relay]:
    parts = urlsplit(url)
    relay = Relay(parts.hostname or "", parts.port or 0)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - nothing to do with Django
        relay.url = f"http://127.0.0.1:{port}"
        tasks.start_soon(listener.serve, relay.serve)
        yield relay
        tasks.cancel_scope.cancel()

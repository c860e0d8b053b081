"""MCP over HTTP: a trivial tool's round trip beside that over stdio, and the memory that a client adds.

A client over stdio has a bridge of its own. Over HTTP, clients share one.
"""

import time
from functools import partial

import httpx

from benchmarks.memory import watched
from benchmarks.round_trip import FOLDER, REST
from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.timed import timed_call
from benchmarks.world import DEADLINE, World, milliseconds_since
from tests.harness.bridges.raw_http import ACCEPT, message_of
from tests.harness.bridges.rawrpc import Host
from tests.harness.bridges.served import Served, serving
from tests.harness.processes.usage import resident

ROUNDS = 100
MOST_MS = 5.0
"""Time that a round trip may take over one over stdio."""
CLIENTS = 100
MOST_MEGABYTES = 1.0
"""Memory that a client may add."""
MODERN, LEGACY = Host("2026-07-28"), Host()
TOOL = "opencode_read_file"


async def over_http(world: World) -> list[Row]:
    """Measure it."""
    with serving(world.launch) as served:
        async with world.bridge(MODERN) as bridge, httpx.AsyncClient(timeout=DEADLINE, trust_env=False) as http:
            pairs = await interleaved(
                partial(_timed_post, http, served.url),
                partial(timed_call, bridge, TOOL, path=FOLDER),
                rounds=ROUNDS,
                discarded=20,
                rest=REST,
            )
            own = resident(bridge.process.pid)
        return [
            paired_row(f"{TOOL} of a small folder over HTTP beside stdio", pairs, most=MOST_MS),
            *await _memory_rows(served, own),
        ]


async def _timed_post(http: httpx.AsyncClient, url: str) -> float:
    """Call the tool over HTTP, and give the milliseconds until its result.

    Raises:
        RuntimeError: The result is an error.
    """
    params = {"name": TOOL, "arguments": {"path": FOLDER}, "_meta": MODERN.envelope()}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = ACCEPT | {"MCP-Protocol-Version": MODERN.protocol, "Mcp-Method": "tools/call", "Mcp-Name": TOOL}
    began = time.perf_counter()
    answer = message_of(await http.post(url, json=body, headers=headers))
    took = milliseconds_since(began)
    if answer.get("error") or answer["result"].get("isError"):
        raise RuntimeError(f"{TOOL} failed: {answer}")
    return took


async def _memory_rows(served: Served, own: float | None) -> list[Row]:
    """Make the row of the memory that open sessions add, where memory is known."""
    async with watched(served.process.pid) as memory:
        clients = [await _opened(served.url) for _ in range(CLIENTS)]
    for client in clients:
        await client.aclose()
    if memory.growth is None or own is None:
        return []
    each = memory.growth / CLIENTS
    return [
        Row(
            measured=f"memory that each of {CLIENTS} clients with a session adds, beside a bridge over stdio",
            ours=f"{each:.2f} MB",
            beside=f"{own:.1f} MB",
            target=f"under {MOST_MEGABYTES:g} MB",
            met=each < MOST_MEGABYTES,
        )
    ]


async def _opened(url: str) -> httpx.AsyncClient:
    """Open a session of the 2025 era that lists the tools once, over a connection of its own that stays open."""
    http = httpx.AsyncClient(timeout=DEADLINE, trust_env=False, headers=ACCEPT)
    params = {"protocolVersion": LEGACY.protocol, "capabilities": {}, "clientInfo": LEGACY.info}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    opened = await http.post(url, json=hello)
    http.headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
    await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    (await http.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).raise_for_status()
    return http

"""One call of a tool, or one plain request, and how long it took."""

import time

import httpx

from benchmarks.world import milliseconds_since
from tests.harness.bridges.rawrpc import RawClient


async def timed_call(bridge: RawClient, tool: str, /, **arguments: object) -> float:
    """Call a tool and give the milliseconds until its result.

    Raises:
        RuntimeError: The result is an error.
    """
    began = time.perf_counter()
    result = await bridge.call(tool, **arguments)
    took = milliseconds_since(began)
    if result.get("isError"):
        raise RuntimeError(f"{tool} failed: {result['content']}")
    return took


async def timed_get(http: httpx.AsyncClient, path: str, /, **query: str | int) -> float:
    """Ask OpenCode itself, read the answer's JSON, and give the milliseconds.

    Raises:
        httpx.HTTPStatusError: It refused.
    """
    began = time.perf_counter()
    (await http.get(path, params=query)).raise_for_status().json()
    return milliseconds_since(began)

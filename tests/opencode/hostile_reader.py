"""Reads from hostile servers, each in a process of its own, and says how it ended and how much memory it took.

A line on stdin names the server and what is read from it; a line on stdout answers it. What is imported once serves all
the processes.
"""

import json
import os
import re
import sys
from pathlib import Path

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client import project_opening, transport
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport

GIVEN_UP = 40


async def read(url: str, what: str) -> None:
    transport = Transport(Endpoint(url=url))
    client = OpenCodeClient(transport)
    try:
        if what == "events":
            async with client.events(silence=10) as lines:
                async for _ in lines:
                    pass
        else:
            await client.call("path.get", timeout=2)
    finally:
        await transport.aclose()


async def main(url: str, what: str) -> None:
    transport.BODY_TIMEOUT_SECONDS = project_opening.ROUND_SECONDS = project_opening.ALIVE_TIMEOUT_SECONDS = 2
    try:
        with anyio.fail_after(GIVEN_UP):
            await read(url, what)
        ending = "ended"
    except BridgeError as error:
        ending = f"{type(error).__name__}: {error}"
    except TimeoutError:
        ending = "given up"
    sys.stdout.write(f"{json.dumps([peak_memory(), ending])}\n")


def peak_memory() -> int:
    """Return the most megabytes that were resident; ``resource`` would count those of the parent before the start."""
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(peak[1]) // 1024 if peak else 0


def serve() -> None:
    """Fork for each line on stdin."""
    # This imports what anyio loads with its first loop.
    anyio.run(anyio.sleep, 0)
    for line in sys.stdin:
        url, what = line.split()
        pid = os.fork()
        if pid == 0:
            anyio.run(main, url, what)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    serve()

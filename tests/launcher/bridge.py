"""A bridge that only holds its server: it says which, and lets go when its input ends."""

import sys

import anyio
from anyio import to_thread

from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.settings import resolve


async def main() -> None:
    launcher = Launcher(resolve({}))
    endpoint = await launcher.locate()
    sys.stdout.write(f"located {endpoint.pid}\n")
    sys.stdout.flush()
    await to_thread.run_sync(sys.stdin.read)
    await launcher.aclose()


if __name__ == "__main__":
    anyio.run(main)

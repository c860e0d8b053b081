"""Cold start: from the spawn of the installed command to its answer to ``tools/list``, beside a bare SDK server.

Nothing connects to OpenCode meanwhile, so none need run.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.samples import interleaved
from benchmarks.table import Row, paired_row
from benchmarks.world import World, milliseconds_since
from tests.harness.launch import COMMAND, Launch

ROUNDS = 25
MOST = 60.0
BARE = Path(__file__).with_name("bare_server.py")
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1.0"},
}


async def start_up(world: World) -> list[Row]:
    """Measure it."""
    ours = [str(COMMAND), *world.launch.arguments]
    _, tools = _spawn_to_list(ours, world.launch)
    bare = [sys.executable, str(BARE), str(tools)]
    pairs = await interleaved(
        partial(_time, ours, world.launch), partial(_time, bare, world.launch), rounds=ROUNDS, discarded=2
    )
    return [paired_row(f"spawn to tools/list ({tools} tools) beside a bare SDK server", pairs, most=MOST)]


async def _time(command: Sequence[str], launch: Launch) -> float:
    return _spawn_to_list(command, launch)[0]


def _spawn_to_list(command: Sequence[str], launch: Launch) -> tuple[float, int]:
    """Start a server, ask it for its tools, end it; give the milliseconds until the answer and the number of tools."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the benchmark's own command
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(launch.environment),
    ) as process:
        _ask(process, "initialize", INITIALIZE)
        _send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        listed = _ask(process, "tools/list", {})
        took = milliseconds_since(began)
        process.kill()
    return took, len(listed["result"]["tools"])


def _ask(process: subprocess.Popen[bytes], method: str, params: Mapping[str, object]) -> dict[str, Any]:
    _send(process, {"jsonrpc": "2.0", "id": method, "method": method, "params": params})
    for line in cast("IO[bytes]", process.stdout):
        message = json.loads(line)
        if message.get("id") == method:
            return message
    raise EOFError(f"The server ended before it answered {method}.")


def _send(process: subprocess.Popen[bytes], message: Mapping[str, object]) -> None:
    stdin = cast("IO[bytes]", process.stdin)
    stdin.write(json.dumps(message).encode() + b"\n")
    stdin.flush()

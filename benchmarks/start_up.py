"""Cold start of the installed command: to its first responses, and to the first response that needs the SDK.

Nothing connects to OpenCode meanwhile, so none need run. (``prompts/list`` would, in a bridge with ``--url``.)
``saved`` is a start with the responses of an earlier one, ``first`` is a start with an empty state folder.
"""

import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

from benchmarks.samples import Pairs, interleaved
from benchmarks.table import Row, paired_row
from benchmarks.world import World, milliseconds_since
from tests.harness.bridges.launch import COMMAND, Launch
from tests.harness.bridges.rawrpc import Host

ROUNDS = 15
MOST_OVER_SDK_MS = 60.0
MOST_SAVED_MS = 200.0
BARE_SDK = Path(__file__).with_name("bare_server.py")
BARE_PYTHON = (sys.executable, "-c", "pass")
LEGACY = Host("2025-11-25", name="benchmark")
MODERN = Host("2026-07-28", name="benchmark")
NEEDS_SDK = "resources/templates/list"


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds from the spawn to responses, and the number of tools."""

    opened: float
    """To ``initialize`` or ``server/discover``."""
    listed: float
    """To ``tools/list``."""
    working: float
    """To the first response that needs the SDK."""
    tools: int


OPENED, LISTED, WORKING = map(attrgetter, ("opened", "listed", "working"))


async def start_up(world: World) -> list[Row]:
    """Measure it."""
    ours = [str(COMMAND), *world.launch.arguments]
    tools = _start(ours, world.launch, LEGACY).tools
    bare = [sys.executable, str(BARE_SDK), str(tools)]
    rows: list[Row] = []
    for host, opening in ((LEGACY, "initialize"), (MODERN, "server/discover")):
        _start(ours, world.launch, host)
        pairs = await interleaved(
            partial(_time, ours, world.launch, host, OPENED), _time_python, rounds=ROUNDS, discarded=2
        )
        rows.append(_saved_row(f"saved: spawn to {opening} beside a bare Python start", pairs))
        pairs = await interleaved(
            partial(_time, ours, world.launch, host, LISTED), _time_python, rounds=ROUNDS, discarded=2
        )
        rows.append(_saved_row(f"saved: spawn to tools/list ({tools} tools, after {opening})", pairs))
    beside = partial(_time, bare, world.launch, LEGACY, LISTED)
    pairs = await interleaved(partial(_time_first, ours, world.launch), beside, rounds=ROUNDS, discarded=2)
    rows.append(paired_row("first: spawn to tools/list beside a bare SDK server", pairs, most=MOST_OVER_SDK_MS))
    pairs = await interleaved(
        partial(_time, ours, world.launch, LEGACY, WORKING),
        partial(_time, bare, world.launch, LEGACY, WORKING),
        rounds=ROUNDS,
        discarded=2,
    )
    rows.append(paired_row(f"saved: spawn to {NEEDS_SDK} beside a bare SDK server", pairs, most=MOST_OVER_SDK_MS))
    if world.rival:
        rows.append(await _rival_row(ours, world))
    return rows


async def _rival_row(ours: Sequence[str], world: World) -> Row:
    """Measure a saved start beside the start of another MCP server."""
    pairs = await interleaved(
        partial(_time, ours, world.launch, LEGACY, LISTED),
        partial(_time, world.rival, world.launch, LEGACY, LISTED),
        rounds=ROUNDS,
        discarded=2,
    )
    row = paired_row(f"saved: spawn to tools/list beside `{shlex.join(world.rival)}`", pairs)
    return replace(row, target="sooner", met=pairs.difference < 0)


def _saved_row(measured: str, pairs: Pairs) -> Row:
    """Make the row of a start that does not wait for the SDK; its target is a time, not a difference."""
    ours = median(pairs.ours)
    return Row(
        measured=measured,
        ours=f"{ours:.1f} ms",
        beside=f"{median(pairs.beside):.1f} ms",
        ratio=f"{pairs.ratio:.2f}",
        difference=f"{pairs.difference:+.1f} ms",
        target=f"at most {MOST_SAVED_MS:g} ms",
        met=ours <= MOST_SAVED_MS,
    )


async def _time(command: Sequence[str], launch: Launch, host: Host, what: Callable[[Start], float]) -> float:
    return what(_start(command, launch, host))


async def _time_first(command: Sequence[str], launch: Launch) -> float:
    with tempfile.TemporaryDirectory() as state:
        return _start(command, launch.within(OPENCODE_MCP_STATE=state), LEGACY).listed


async def _time_python() -> float:
    return _python_start()


def _python_start() -> float:
    began = time.perf_counter()
    subprocess.run(BARE_PYTHON, check=True)  # noqa: S603 - the benchmark's own command
    return milliseconds_since(began)


def _start(command: Sequence[str], launch: Launch, host: Host) -> Start:
    """Start a server, send what a host sends first, and end it."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the benchmark's own command
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(launch.environment),
    ) as process:
        _open(process, host)
        opened = milliseconds_since(began)
        tools = _ask(process, "tools/list", _envelope(host))["result"]["tools"]
        listed = milliseconds_since(began)
        _ask(process, NEEDS_SDK, _envelope(host))
        working = milliseconds_since(began)
        process.kill()
    return Start(opened, listed, working, len(tools))


def _open(process: subprocess.Popen[bytes], host: Host) -> None:
    if host.modern:
        _ask(process, "server/discover", _envelope(host))
        return
    _ask(process, "initialize", {"protocolVersion": host.protocol, "capabilities": {}, "clientInfo": host.info})
    _send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})


def _envelope(host: Host) -> dict[str, Any]:
    return {"_meta": host.envelope()} if host.modern else {}


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

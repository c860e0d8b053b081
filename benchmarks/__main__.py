"""``python -m benchmarks`` runs every benchmark and prints one table; names of benchmarks as arguments choose.

``--opencode 2`` runs those that make sense there on OpenCode 2. ``--rival`` adds the start of another MCP server to
``start-up``.
``fuzz`` and ``soak`` are no benchmarks: they attack the bridge, and have options of their own.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from benchmarks.batch import batch
from benchmarks.first_operation import first_operation
from benchmarks.fuzz import fuzz
from benchmarks.isolation import isolation
from benchmarks.many_runs import many_runs
from benchmarks.notifications import notifications
from benchmarks.over_http import over_http
from benchmarks.prompt_delay import prompt_delay
from benchmarks.reading import search, transcript
from benchmarks.requests import requests
from benchmarks.result_delay import result_delay
from benchmarks.round_trip import round_trip
from benchmarks.soak import soak
from benchmarks.start_up import start_up
from benchmarks.status import status
from benchmarks.subscribers import subscribers
from benchmarks.table import Row, as_markdown
from benchmarks.world import World, running_world
from tests.harness.opencode2.engine import exists_here

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

BENCHMARKS: Mapping[str, Callable[[World], Awaitable[list[Row]]]] = {
    "start-up": start_up,
    "round-trip": round_trip,
    "http": over_http,
    "requests": requests,
    "prompt-delay": prompt_delay,
    "result-delay": result_delay,
    "status": status,
    "first-operation": first_operation,
    "many-runs": many_runs,
    "batch": batch,
    "isolation": isolation,
    "transcript": transcript,
    "search": search,
    "subscribers": subscribers,
    "notifications": notifications,
}
OPENCODE_2 = 2
ON_2 = frozenset(
    {"requests", "round-trip", "prompt-delay", "result-delay", "status", "many-runs", "batch", "isolation"}
)
"""Benchmarks that run on OpenCode 2: those of what the bridge does there in its own way."""
ATTACKS: Mapping[str, Callable[[Sequence[str]], int]] = {"fuzz": fuzz, "soak": soak}
"""Attacks, which take minutes, have options, and run only when they are named."""


def main() -> int:
    """Measure, print, and give 1 if a target is missed."""
    if sys.argv[1:] and sys.argv[1] in ATTACKS:
        return ATTACKS[sys.argv[1]](sys.argv[2:])
    arguments = _chosen()
    generation: Generation = arguments.opencode
    if generation == OPENCODE_2 and not exists_here():
        # `make bench` prints what can be measured on each machine.
        print("Not on OpenCode 2: npm has its preview for Linux on x64 processors only.", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder, running_world(Path(folder).resolve(), generation) as world:
        rows = anyio.run(_measure, replace(world, rival=arguments.rival), arguments.names)
    print(f"On OpenCode {generation}:\n\n{as_markdown(rows)}\n")
    return 1 if any(row.met is False for row in rows) else 0


def _chosen() -> argparse.Namespace:
    """Read the command line; without the name of a benchmark, all are chosen."""
    parser = argparse.ArgumentParser(
        prog="benchmarks",
        description="Run every benchmark, or those named, and print one table.",
        epilog=f"Not among them, with options of their own: {', '.join(ATTACKS)}.",
    )
    parser.add_argument("--opencode", type=int, choices=[1, 2], default=1, help="generation of OpenCode; default: 1")
    parser.add_argument(
        "--rival",
        type=_command,
        default=(),
        metavar="COMMAND",
        help="command of another MCP server over stdio, whose start is measured beside ours",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    arguments = parser.parse_args()
    known = [name for name in BENCHMARKS if arguments.opencode == 1 or name in ON_2]
    arguments.names = arguments.names or known
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"there is no benchmark {unknown[0]!r} on OpenCode {arguments.opencode}, only {', '.join(known)}")
    return arguments


def _command(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


async def _measure(world: World, names: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        measured = await BENCHMARKS[name](world)
        # A run that is interrupted keeps what it has measured.
        print(as_markdown(measured), file=sys.stderr, flush=True)
        rows += measured
    return rows


if __name__ == "__main__":
    raise SystemExit(main())

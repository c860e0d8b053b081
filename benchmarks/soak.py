"""``python -m benchmarks soak``: minutes of mixed load on bridges that share one OpenCode, and what is left of it."""

import argparse
import random
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from benchmarks.soak_load import HOSTS, LOST, Load, Tally, search
from benchmarks.table import Row, as_markdown
from tests.harness.bridges.launch import Launch, end_left_server, left_server, starting
from tests.harness.bridges.rawrpc import RawClient, open_raw
from tests.harness.processes.usage import open_descriptors, processes_with, resident
from tests.harness.project import configure, make_project
from tests.harness.servers.model import running_model
from tests.harness.waiting import eventually

DURATION_SECONDS = 300.0
EXTRA = 120.0
"""Seconds after the load in which its last calls must have come to an end."""
END = 30.0
"""Seconds in which OpenCode must end after the last bridge."""
STAYS = frozenset({".key", ".lock", ".log"})
"""Kinds of files that stay in the state folder for good; of locks, which are empty, there are a thousand at most."""


@dataclass(frozen=True, slots=True)
class Held:
    """Megabytes and descriptors that a process holds."""

    memory: float | None
    descriptors: int | None

    @classmethod
    def by(cls, pid: int | None) -> "Held":
        """Look at a process."""
        return cls(None, None) if pid is None else cls(resident(pid), open_descriptors(pid))


def soak(arguments: Sequence[str]) -> int:
    """Run the load, print figures, and give 1 where something went wrong or was left."""
    parser = argparse.ArgumentParser(prog="benchmarks soak", description="Put mixed load on bridges for some minutes.")
    parser.add_argument(
        "--seconds", type=float, default=DURATION_SECONDS, help=f"how long (default: {DURATION_SECONDS:g})"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides what the hosts do next (default: 1)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        project = folder / "project"
        project.mkdir()
        make_project(project)
        configure(project, {"permission": {"bash": "ask"}})
        with running_model(folder / "model.log") as model:
            launch = starting(folder, model, project)
            try:
                return anyio.run(_soak, launch, chosen.seconds, chosen.seed)
            finally:
                end_left_server(launch)


async def _soak(launch: Launch, seconds: float, seed: int) -> int:
    tally = Tally()
    async with open_raw(launch) as steady:
        await steady.call("opencode_status")
        server = left_server(launch)
        before = Held.by(steady.process.pid), Held.by(server)
        last = await _play(launch, tally, steady, seconds, seed)
        after = Held.by(steady.process.pid), Held.by(left_server(launch))
        if left_server(launch) != server:
            tally.errors["OpenCode was replaced"] += 1
        asking = await _running(last, steady)
        for session in asking:
            await last.call(steady, "opencode_abort", session_id=session)
        sessions = await _running(last, steady)
        await last.leave(steady)
    rows = [*_counts(tally, len(asking)), *_held(before, after), *await _left(launch, sessions)]
    print(as_markdown(rows))
    return 1 if any(row.met is False for row in rows) else 0


async def _play(launch: Launch, tally: Tally, steady: RawClient, seconds: float, seed: int) -> Load:
    """Put all hosts to work at once; gives the means of the last one."""
    until = anyio.current_time() + seconds
    hosts = (*HOSTS, partial(search, bridge=steady))
    loads = [Load(launch, tally, random.Random(seed + number), until) for number in range(len(hosts))]  # noqa: S311
    with anyio.move_on_after(seconds + EXTRA) as scope:
        async with anyio.create_task_group() as tasks:
            for load, host in zip(loads, hosts, strict=True):
                tasks.start_soon(_kept_up, load, host)
    if scope.cancelled_caught:
        tally.errors["the load did not come to an end"] += 1
    return loads[-1]


async def _kept_up(load: Load, host: Callable[[Load], Awaitable[None]]) -> None:
    """Have a host work until the time is over, also after its bridge gave it no answer."""
    while load.goes_on:
        try:
            await host(load)
        except LOST as error:
            load.tally.errors[f"a bridge gave no answer to its host ({type(error).__name__})"] += 1


async def _running(load: Load, bridge: RawClient) -> list[str]:
    """The sessions that work on something or wait for an answer."""
    data = await load.call(bridge, "opencode_list_sessions", running=True, limit=100)
    return [str(session["session_id"]) for session in data.get("sessions", [])]


def _counts(tally: Tally, asking: int) -> list[Row]:
    errors = [Row(measured=f"error: {kind}", ours=str(count)) for kind, count in tally.errors.most_common()]
    return [
        Row(measured="good results", ours=str(tally.answered.total())),
        *(Row(measured=f"- of {tool}", ours=str(count)) for tool, count in sorted(tally.answered.items())),
        *(Row(measured=f"reports: {status}", ours=str(count)) for status, count in sorted(tally.ends.items())),
        *(Row(measured=what, ours=str(count)) for what, count in sorted(tally.other.items())),
        Row(measured="sessions that waited for an answer at the end, then stopped", ours=str(asking)),
        Row(measured="errors", ours=str(tally.errors.total()), target="0", met=not tally.errors),
        *errors,
    ]


def _held(before: Sequence[Held], after: Sequence[Held]) -> list[Row]:
    """Return the lines that compare what the bridge and OpenCode hold at the end with the start."""
    rows: list[Row] = []
    for who, first, last in zip(("the bridge", "OpenCode"), before, after, strict=True):
        if first.memory is None or last.memory is None:
            continue
        rows.append(
            Row(
                measured=f"memory of {who}, beside the start",
                ours=f"{last.memory:.0f} MB",
                beside=f"{first.memory:.0f} MB",
            )
        )
        rows.append(
            Row(
                measured=f"open descriptors of {who}, beside the start",
                ours=str(last.descriptors),
                beside=str(first.descriptors),
            )
        )
    return rows


async def _left(launch: Launch, sessions: Sequence[str]) -> list[Row]:
    """Return what is still there once all bridges have ended."""
    state = launch.environment["OPENCODE_MCP_STATE"]

    async def gone() -> bool:
        return not processes_with("OPENCODE_MCP_STATE", state)

    with suppress(TimeoutError):
        await eventually(gone, seconds=END)
    processes = [str(pid) for pid in processes_with("OPENCODE_MCP_STATE", state)]
    left = {"processes": processes, "running sessions": sessions, "state files": _stray_files(Path(state))}
    return [
        Row(measured=f"left-over {what}", ours=", ".join(names) or "none", target="none", met=not names)
        for what, names in left.items()
    ]


def _stray_files(state: Path) -> list[str]:
    files = [path for path in sorted(state.rglob("*")) if path.is_file()]
    return [str(path.relative_to(state)) for path in files if path.suffix not in STAYS]

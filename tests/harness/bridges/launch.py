"""Start of the bridge in a test: the installed command, its settings, and the file for its stderr."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.options import LARGEST_MOST_RUNS
from tests.harness.bridges.forked import COMMAND, fork_server
from tests.harness.opencode2.environment import environment as environment_2
from tests.harness.opencode2.running import OpenCode2, write_executable
from tests.harness.processes.isolation import environment
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, binary


@dataclass(frozen=True, slots=True)
class Launch:
    """The command line and environment of a bridge."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    """Takes what the bridge writes to stderr."""
    installed: bool = False
    """True if the installed command itself is run, also where the fork server could take its place."""

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        begin = [str(COMMAND)] if self.installed else fork_server.command(self.environment)
        return [*begin, *self.arguments]

    def as_installed(self) -> "Launch":
        """Run the installed command itself: for tests that look at the process, or at its start."""
        return replace(self, installed=True)

    def with_flags(self, *arguments: str) -> "Launch":
        """The same with further arguments."""
        return replace(self, arguments=(*self.arguments, *arguments))

    def within(self, **variables: str) -> "Launch":
        """The same with further environment variables."""
        return replace(self, environment={**self.environment, **variables})

    def with_places(self) -> "Launch":
        """The same with a place for every task of a batch: runs of other tests that ended just now take places."""
        return self.within(OPENCODE_MCP_MAX_RUNS=str(LARGEST_MOST_RUNS))

    def printed(self) -> str:
        """Text that the bridge has written to stderr until now."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


def attaching(folder: Path, model: ScriptedModel, server: OpenCode | OpenCode2, project: Path) -> Launch:
    """A bridge that works in ``project`` with an OpenCode that runs already."""
    variables = {
        "OPENCODE_MCP_URL": server.url,
        "OPENCODE_MCP_PASSWORD": server.password,
        "OPENCODE_MCP_STATE": str(folder / "bridge"),
    }
    return Launch(_fence(project), environment(folder, model.url) | variables, folder / "bridge.log")


def starting(folder: Path, model: ScriptedModel, project: Path, generation: Generation = 1) -> Launch:
    """A bridge that works in ``project`` with an OpenCode that it starts by itself, shared below ``folder`` alone."""
    if generation == 1:
        variables, opencode = environment(folder, model.url), binary()
    else:
        variables, opencode = environment_2(folder, model.url), write_executable(folder / "opencode")
    variables |= {"OPENCODE_MCP_OPENCODE": str(opencode), "OPENCODE_MCP_STATE": str(folder / "bridge")}
    return Launch(_fence(project), variables, folder / "bridge.log")


def server_record(launch: Launch) -> dict[str, Any]:
    """The record of the OpenCode that bridges of this launch started; empty if there is none."""
    found = next(Path(launch.environment["OPENCODE_MCP_STATE"]).glob("servers/*/server.json"), None)
    return json.loads(found.read_text(encoding="utf-8")) if found else {}


def left_server(launch: Launch) -> int | None:
    """The process id of the OpenCode that bridges of this launch started and have not stopped; None if none runs."""
    record = server_record(launch)
    if not record:
        return None
    pid = int(record["process"]["pid"])
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return pid


def end_left_server(launch: Launch) -> None:
    """End that OpenCode, and what it started."""
    pid = left_server(launch)
    if pid is None:
        return
    with suppress(OSError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)


def _fence(project: Path) -> tuple[str, ...]:
    return ("--directory", str(project))

"""Processes that every benchmark uses: a real OpenCode with the scripted model, a project, and bridges to it."""

import sys
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.opencode2.environment import environment as environment_2
from tests.harness.opencode2.running import OpenCode2, running_opencode2
from tests.harness.processes.isolation import BRIEF, environment
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel, running_model
from tests.harness.servers.opencode import OpenCode, running_opencode

PLACE: Mapping[Generation, str] = {1: "directory", 2: "location[directory]"}
"""Name of the query parameter with the directory of a request."""
BARE_SERVER = Path(__file__).with_name("bare_request_server.py")
DEADLINE = 600.0
"""Seconds that any one request may take: fifty runs at once share two processors with OpenCode."""


@dataclass(frozen=True, slots=True)
class World:
    """The processes, and how to reach them."""

    model: ScriptedModel
    opencode: OpenCode | OpenCode2
    project: Path
    launch: Launch
    generation: Generation
    rival: tuple[str, ...] = ()
    """Command of another MCP server to compare with; empty if there is none."""

    def bridge(
        self, host: Host | None = None, *, url: str = "", project: Path | None = None
    ) -> AbstractAsyncContextManager[RawClient]:
        """A bridge of its own process, spoken to without an SDK, so that no client's own costs are counted.

        Args:
            host: Who speaks to it.
            url: Where it finds OpenCode instead.
            project: Where it works instead.
        """
        launch = self.launch.within(OPENCODE_MCP_URL=url or self.opencode.url)
        return open_raw(launch.with_flags("--directory", str(project)) if project else launch, host)

    def bare_server(self, path: str) -> AbstractAsyncContextManager[RawClient]:
        """A bare server of the SDK with one tool, ``bare_request_server.TOOL``, spoken to like a bridge.

        Args:
            path: Path of the request that the tool makes.
        """
        command = [sys.executable, str(BARE_SERVER), path, PLACE[self.generation], str(self.project)]
        return open_raw(self.launch.within(OPENCODE_MCP_URL=self.opencode.url), command=command)

    def direct(self, project: Path | None = None) -> httpx.AsyncClient:
        """One pooled HTTP client for OpenCode in the project, or in another."""
        # httpx opens a connection for nearly each of many requests at once unless it may keep them all.
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        return httpx.AsyncClient(
            base_url=self.opencode.url,
            auth=("opencode", self.opencode.password),
            params={PLACE[self.generation]: str(project or self.project)},
            limits=limits,
            timeout=DEADLINE,
            trust_env=False,
        )

    def scripted_model(self) -> httpx.AsyncClient:
        """A pooled HTTP client for the scripted model."""
        return httpx.AsyncClient(base_url=self.model.url, timeout=DEADLINE, trust_env=False)


@contextmanager
def running_world(folder: Path, generation: Generation = 1) -> Generator[World]:
    """Run the model and an OpenCode until the block ends; all that they write is below ``folder``."""
    project = folder / "project"
    project.mkdir()
    make_project(project)
    with running_model(folder / "model.log") as model, _running(folder, model, generation) as opencode:
        yield World(model, opencode, project, attaching(folder, model, opencode, project), generation)


def _running(
    folder: Path, model: ScriptedModel, generation: Generation
) -> AbstractContextManager[OpenCode | OpenCode2]:
    home, log = folder / "opencode", folder / "opencode.log"
    if generation == 1:
        variables = environment(home, model.url)
        # Its users have the whole runtime.
        return running_opencode({name: value for name, value in variables.items() if name not in BRIEF}, log)
    return running_opencode2(environment_2(home, model.url), log)


def milliseconds_since(began: float) -> float:
    """Return the time since ``time.perf_counter`` returned ``began``."""
    return (time.perf_counter() - began) * 1000

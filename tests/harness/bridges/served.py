"""A bridge that serves HTTP on loopback: the installed command, until the block ends."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.harness.bridges.launch import Launch
from tests.harness.processes.process import NotReady, spawned

if TYPE_CHECKING:
    import subprocess

ADDRESS = "MCP is served at "
"""Beginning of the line with which the command says that clients can connect."""
START = 60.0
WITHOUT_TOKENS = ("--insecure-no-auth",)


@dataclass(frozen=True, slots=True)
class Served:
    """A running bridge."""

    url: str
    """Its MCP endpoint."""
    process: "subprocess.Popen[bytes]"
    launch: Launch

    @property
    def base(self) -> str:
        """The URL without a path."""
        return self.url.removesuffix("/mcp")


@contextmanager
def serving(launch: Launch, *arguments: str, address: str = "127.0.0.1:0") -> Generator[Served]:
    """Run a bridge over HTTP, without authentication unless other arguments are given."""
    flagged = launch.with_flags("--http", address, *(arguments or WITHOUT_TOKENS))
    already = len(launch.printed())
    with spawned(flagged.command, environment=launch.environment, log=launch.log) as process:
        yield Served(_address(process, launch, already), process, flagged)


def _address(process: "subprocess.Popen[bytes]", launch: Launch, already: int) -> str:
    """Wait until the bridge listens, and return the address that it prints."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        for line in launch.printed()[already:].splitlines():
            if line.startswith(ADDRESS):
                return line.removeprefix(ADDRESS)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise NotReady(f"The bridge does not listen:\n{launch.printed()}")

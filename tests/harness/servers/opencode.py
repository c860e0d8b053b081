"""A real ``opencode serve`` of the test's own, on loopback, behind a password."""

import secrets
import socket
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import httpx

from opencode_mcp.server.sessions.sessions_at_work import JUST_CHANGED_SECONDS
from scripts.opencode_binary import installed, installed_oldest
from tests.harness.processes.process import NotReady, await_line, spawned
from tests.harness.servers.http import ask, loopback_client

START = 60.0
"""Seconds that a start may take; two to three are usual, with a busy machine more."""


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A running OpenCode."""

    url: str
    password: str = field(repr=False)
    process: Popen[bytes] = field(repr=False)
    log: Path

    def client(self, directory: Path | None = None, *, timeout: float = 60.0) -> httpx.AsyncClient:
        """A plain HTTP client for it, in a directory of the caller's."""
        headers = {"x-opencode-directory": str(directory)} if directory else {}
        return loopback_client(self.url, auth=("opencode", self.password), headers=headers, timeout=timeout)

    def unload(self, directory: Path) -> None:
        """Have it end what it does in a directory, and stop watching its files: Linux gives a user 128 watchers."""
        self._ask("POST", "/instance/dispose", {"x-opencode-directory": str(directory)})

    def delete_latest_sessions(self) -> None:
        """Delete the sessions that have changed within a minute.

        A bridge that starts then has not received the events of their end, and counts them as runs of other projects.
        """
        since = int((time.time() - JUST_CHANGED_SECONDS) * 1000)
        wanted = f"roots=true&archived=true&limit=1000&start={since}"
        for session in self._ask("GET", f"/experimental/session?{wanted}").json():
            self._ask("DELETE", f"/session/{session['id']}")

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        reply = ask(method, self.url + path, auth=("opencode", self.password), headers=headers)
        return reply.raise_for_status()


def binary() -> Path:
    """The OpenCode that the project installed for itself.

    Raises:
        NotReady: It is not there.
    """
    path = installed()
    if path is None:
        raise NotReady("OpenCode is not installed for the tests: run `make setup`.")
    return path


def oldest_binary() -> Path:
    """The oldest OpenCode that the bridge works with.

    Raises:
        NotReady: It is not there.
    """
    path = installed_oldest()
    if path is None:
        raise NotReady("The oldest OpenCode is not installed for the tests: run `make setup`.")
    return path


@contextmanager
def running_opencode(
    environment: Mapping[str, str], log: Path, *, port: int = 0, password: str = "", executable: Path | None = None
) -> Generator[OpenCode]:
    """Serve OpenCode until the block ends.

    Args:
        environment: As ``isolation.environment`` makes it.
        log: Where what it prints goes.
        port: TCP port; 0 takes a free one.
        password: Guards it; empty makes one.
        executable: Another version's.
    """
    password = password or secrets.token_urlsafe(16)
    chosen = port or free_port()
    command = [str(executable or binary()), "serve", "--hostname", "127.0.0.1", "--port", str(chosen)]
    secured = {**environment, "OPENCODE_SERVER_PASSWORD": password}
    with spawned(command, environment=secured, log=log, directory=Path(environment["HOME"])) as process:
        await_line(process, log, "opencode server listening on", seconds=START)
        server = OpenCode(f"http://127.0.0.1:{chosen}", password, process, log)
        _await_health(server)
        yield server


def free_port() -> int:
    """A TCP port on loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _await_health(server: OpenCode) -> None:
    """Ask on a fresh connection each time: one that comes too early is never answered."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        try:
            reply = ask("GET", f"{server.url}/global/health", auth=("opencode", server.password), timeout=1)
        except httpx.TransportError:
            continue
        reply.raise_for_status()
        return
    raise NotReady(f"OpenCode is not healthy after {START} s:\n{server.log.read_text(encoding='utf-8')}")

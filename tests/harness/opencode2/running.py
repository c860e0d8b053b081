"""OpenCode 2 in a test: started, asked, switched, ended."""

import json
import secrets
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import httpx

from tests.harness.opencode2.engine import START
from tests.harness.opencode2.proxy.access import CONTROL
from tests.harness.opencode2.proxy.reads import VERSION
from tests.harness.processes.isolation import ROOT
from tests.harness.processes.process import await_line, spawned
from tests.harness.servers.http import NO_CERTIFICATES, loopback_client

SERVE = ("serve", "--stdio", "--hostname", "127.0.0.1", "--port", "0")
"""The arguments with which the released version is started."""
WRAPPER = """#!{python}
import sys
if sys.argv[1:] == ["--version"]:
    print("{version}")
    sys.exit()
sys.path.insert(0, {root!r})
from tests.harness.opencode2.__main__ import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class OpenCode2:
    """A running OpenCode 2."""

    url: str
    password: str = field(repr=False)
    process: Popen[bytes] = field(repr=False)
    log: Path

    def client(self, directory: Path | None = None, *, timeout: float = 60.0) -> httpx.AsyncClient:
        """A plain HTTP client for it, in a directory of the caller's."""
        headers = {"x-opencode-directory": str(directory)} if directory else {}
        return loopback_client(self.url, auth=("opencode", self.password), headers=headers, timeout=timeout)

    def unload(self, directory: Path) -> None:
        """Have it drop what it keeps in memory of a directory."""
        httpx.delete(
            f"{self.url}/api/debug/location",
            params={"location[directory]": str(directory)},
            auth=("opencode", self.password),
            trust_env=False,
            verify=NO_CERTIFICATES,
        ).raise_for_status()

    def switch(self, **values: bool) -> None:
        """Turn switches on or off; the names are those of ``Switches``."""
        httpx.put(
            f"{self.url}{CONTROL}",
            json=values,
            auth=("opencode", self.password),
            trust_env=False,
            verify=NO_CERTIFICATES,
        ).raise_for_status()


@contextmanager
def running_opencode2(
    environment: Mapping[str, str], log: Path, *, port: int = 0, password: str = ""
) -> Generator[OpenCode2]:
    """Serve OpenCode 2 until the block ends.

    Args:
        environment: As ``environment.environment`` makes it.
        log: File for what it prints, which has no ready line yet.
        port: TCP port; 0 takes a free one.
        password: Guards it; empty makes one.
    """
    password = password or secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "tests.harness.opencode2", *SERVE[:-1], str(port)]
    secured = {**environment, "OPENCODE_PASSWORD": password, "PYTHONPATH": str(ROOT)}
    with spawned(command, environment=secured, log=log, directory=Path(environment["HOME"])) as process:
        rest = await_line(process, log, '{"url":', seconds=START)
        yield OpenCode2(json.loads('{"url":' + rest)["url"], password, process, log)


def write_executable(path: Path) -> Path:
    """Write a program that takes the place of the released ``opencode``: its version, and its ``serve``."""
    path.write_text(WRAPPER.format(python=sys.executable, version=VERSION, root=str(ROOT)), encoding="utf-8")
    path.chmod(0o755)
    return path

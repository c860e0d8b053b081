"""Runs a scenario of the suite against a server that listens already, and reads what it checked."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import conformance_suite
from tests.harness.isolation import ROOT, basics
from tests.harness.opencode import free_port
from tests.harness.process import NotReady, spawned

SCENARIO = 60.0
"""Seconds that a scenario may take; five are the most that one takes on a quiet machine."""
START = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a scenario looked at."""

    name: str
    status: str
    """SUCCESS, FAILURE, WARNING, INFO or SKIPPED."""
    says: str


def suite() -> list[str]:
    """What starts the suite.

    Raises:
        NotReady: It is not installed.
    """
    found = conformance_suite.command()
    if found is None:
        raise NotReady("The conformance suite is not installed for the tests: run `make setup`, which says why.")
    return found


def scenarios() -> list[str]:
    """The server scenarios that the suite has."""
    lines = _run(["list", "--server"]).stdout.splitlines()
    return [line.split()[1] for line in lines if line.startswith("  - ")]


def check(url: str, scenario: str, folder: Path, spec: str = "") -> list[Check]:
    """Run one scenario.

    Args:
        url: The server's MCP endpoint.
        scenario: Its name.
        folder: Where its report goes.
        spec: The protocol's version; empty for scenarios of an extension, which have none.
    """
    version = ["--spec-version", spec] if spec else []
    done = _run(["server", "--url", url, "--scenario", scenario, "--output-dir", str(folder), *version])
    reports = list(folder.glob("*/checks.json"))
    assert reports, done.stdout + done.stderr
    found = json.loads(reports[0].read_text(encoding="utf-8"))
    return [
        Check(item["id"], item["status"], f"{item['description']} {item.get('errorMessage', '')}") for item in found
    ]


def _run(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the suite that the project installed
        [*suite(), *arguments], env=basics(), capture_output=True, text=True, timeout=SCENARIO, check=False
    )


@contextmanager
def served(module: str, environment: Mapping[str, str], log: Path) -> Generator[str]:
    """Run a server module on a free port until the block ends, and give its MCP endpoint."""
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port)]
    with spawned(command, environment=environment, log=log, directory=ROOT) as process:
        _await_listening(process, port, log)
        yield f"http://127.0.0.1:{port}/mcp"


def _await_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise NotReady(f"The server does not listen:\n{log.read_text(encoding='utf-8')}")

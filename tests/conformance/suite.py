"""Runs scenarios of the suite against a server that listens already, and reads what they checked."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import conformance_suite
from tests.harness.processes.isolation import ROOT, basics
from tests.harness.processes.process import NotReady, spawned
from tests.harness.servers.opencode import free_port

SECONDS = 240.0
"""Limit for the whole suite; a quarter of a minute is usual on a quiet machine."""
REPORT = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[^-]+-[^-]+-[^-]+-\w+")
"""The name of a folder that holds the report on a scenario."""
START = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a scenario looked at."""

    name: str
    status: str
    """SUCCESS, FAILURE, WARNING, INFO or SKIPPED."""
    says: str


def suite() -> list[str]:
    """Return the command that starts the suite.

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


def check(url: str, folder: Path, *chosen: str) -> dict[str, list[Check]]:
    """Run scenarios in one process of the suite, which takes longer to start than most of them.

    Args:
        url: The server's MCP endpoint.
        folder: Where the reports go.
        chosen: The suite's arguments that say which scenarios.

    Returns:
        What each looked at, by the name of the scenario.
    """
    done = _run(["server", "--url", url, "--output-dir", str(folder), *chosen])
    reports = {report.parent.name: report for report in folder.glob("*/checks.json")}
    assert reports, done.stdout + done.stderr
    return {_scenario(name): _checks(report) for name, report in reports.items()}


def _scenario(folder: str) -> str:
    name = REPORT.fullmatch(folder)
    assert name, folder
    return name[1]


def _checks(report: Path) -> list[Check]:
    found = json.loads(report.read_text(encoding="utf-8"))
    return [
        Check(item["id"], item["status"], f"{item['description']} {item.get('errorMessage', '')}") for item in found
    ]


def _run(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the suite that the project installed
        [*suite(), *arguments], env=basics(), capture_output=True, text=True, timeout=SECONDS, check=False
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

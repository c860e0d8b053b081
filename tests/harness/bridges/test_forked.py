"""A bridge from the fork server is what the installed command would be: stdio, environment, signals, exit code."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opencode_mcp import __version__
from tests.harness.bridges.forked import COMMAND, ForkServer
from tests.harness.processes.isolation import basics

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each bridge is started anew")

Run = Callable[..., subprocess.CompletedProcess[str]]
SECONDS = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer()
    server.enabled = True
    yield server
    server.stop()


def environment(folder: Path) -> dict[str, str]:
    return {**basics(), "HOME": str(folder), "OPENCODE_MCP_STATE": str(folder / "state")}


def started(server: ForkServer, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    variables = environment(folder)
    return subprocess.Popen(  # noqa: S603 - the test's own command
        [*server.command(variables), *arguments],
        env=variables,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid: int) -> list[int]:
    """The processes whose parent is this one."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def bridges(server: ForkServer) -> list[int]:
    assert server.pid is not None
    return children(server.pid)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_gets_the_arguments_and_its_exit_code_and_output_come_back(server: ForkServer, tmp_path: Path) -> None:
    result = started(server, tmp_path, "--version")
    assert result.communicate(timeout=SECONDS) == (f"opencode-mcp {__version__}\n", "")
    assert result.returncode == 0
    wrong = started(server, tmp_path, "--no-such-flag")
    assert "--no-such-flag" in wrong.communicate(timeout=SECONDS)[1]
    assert wrong.returncode == 2


def test_it_ends_when_its_stdin_closes(server: ForkServer, tmp_path: Path) -> None:
    bridge = started(server, tmp_path)
    until(lambda: bool(bridges(server)))
    assert bridge.communicate(timeout=SECONDS) == ("", "")
    assert bridge.returncode == 0
    assert not bridges(server)


def test_its_environment_is_that_of_the_caller_alone(server: ForkServer, tmp_path: Path) -> None:
    variables = {**environment(tmp_path), "OPENCODE_MCP_WAIT": "a while"}
    command = server.command(variables)
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert "a while" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_it(server: ForkServer, tmp_path: Path, number: signal.Signals) -> None:
    bridge = started(server, tmp_path)
    assert bridge.stdin
    assert bridge.stdout
    # Its answer shows that it has begun to listen to signals.
    bridge.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
    bridge.stdin.flush()
    assert bridge.stdout.readline()
    bridge.send_signal(number)
    assert bridge.wait(SECONDS) == 0
    bridge.communicate()


def test_who_kills_the_client_kills_the_bridge(server: ForkServer, tmp_path: Path) -> None:
    bridge = started(server, tmp_path)
    until(lambda: bool(bridges(server)))
    bridge.kill()
    until(lambda: not bridges(server))
    bridge.communicate()


def test_its_death_by_a_signal_is_the_clients(server: ForkServer, tmp_path: Path) -> None:
    bridge = started(server, tmp_path)
    until(lambda: bool(bridges(server)))
    (pid,) = bridges(server)
    subprocess.run(["kill", "-KILL", str(pid)], check=True)  # noqa: S603, S607
    assert bridge.wait(SECONDS) == -signal.SIGKILL
    bridge.communicate()


def test_what_is_said_to_the_interpreter_starts_the_installed_command(server: ForkServer) -> None:
    assert server.command({"PYTHONPATH": "/elsewhere"}) == [str(COMMAND)]

"""The age of a server is that of the process that listens, if that is OpenCode."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from opencode_mcp.launcher import server_age as module
from opencode_mcp.launcher.server_age import PROGRAM, server_age
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from tests.harness.each import for_each

pytestmark = pytest.mark.anyio
LISTENING = """
import socket, sys, time
with socket.create_server((sys.argv[1], 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - an OpenCode may listen there
def listening(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """A process that listens, as its id and its port."""
    command = [sys.executable, "-c", LISTENING, request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - a program of this test
        assert process.stdout
        yield process.pid, int(process.stdout.readline())
        process.kill()


async def test_a_process_that_the_server_names_has_an_age_if_it_listens(listening: tuple[int, int]) -> None:
    pid, port = listening
    age = await server_age(Endpoint(url=f"http://localhost:{port}"), pid)
    assert age is not None
    assert 0 <= age < 600
    assert await server_age(Endpoint(url=f"http://127.0.0.1:{port}"), 1) is None
    assert await server_age(Endpoint(url=f"http://other.example:{port}"), pid) is None


async def test_a_process_that_nobody_names_has_an_age_if_its_program_is_called_like_opencode(
    listening: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, port = listening
    endpoint = Endpoint(url=f"http://127.0.0.1:{port}")
    assert await server_age(endpoint, None) is None
    monkeypatch.setattr(module, "programs", lambda: [(1, "opencode"), (pid, "opencode")])
    assert await server_age(endpoint, None) is not None


@for_each(
    ("program", "is_opencode"),
    [
        ("opencode", True),
        ("opencode2", True),
        ("OpenCode.exe", True),
        (".opencode-wrapped", True),
        ("opencode-mcp", False),
        ("ssh", False),
        ("docker-proxy", False),
    ],
)
def test_programs_of_opencode_are_known_by_name(program: str, *, is_opencode: bool) -> None:
    assert bool(PROGRAM.fullmatch(program)) is is_opencode

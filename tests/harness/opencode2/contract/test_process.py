"""The process takes the place of the released ``opencode serve``: its ready line, its password, its end."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.harness.opencode2.engine import START
from tests.harness.opencode2.running import SERVE, write_executable
from tests.harness.processes.isolation import basics
from tests.harness.servers.http import loopback_client
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
PASSWORD = "of-this-test"
AUTH = ("opencode", PASSWORD)
Process = subprocess.Popen[bytes]


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    if sys.platform == "win32":
        pytest.skip("The program is a script that Windows does not start.")
    return write_executable(tmp_path / "opencode")


@contextmanager
def served(executable: Path, environment: dict[str, str]) -> Generator[tuple[Process, str]]:
    """Start the program as a bridge would, and give the process and its base URL."""
    secured = {**environment, "OPENCODE_PASSWORD": PASSWORD}
    command = [str(executable), *SERVE]
    with subprocess.Popen(  # noqa: S603 - the test's own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=secured
    ) as process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def left_of(folder: Path) -> list[int]:
    """The processes whose environment names a folder."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


async def nothing_left_of(folder: Path) -> None:
    async def look() -> bool:
        return left_of(folder) == []

    await eventually(look, seconds=30)


def test_it_prints_a_released_version(executable: Path) -> None:
    command = [str(executable), "--version"]
    done = subprocess.run(  # noqa: S603 - the test's own program
        command, env=basics(), capture_output=True, text=True, check=True, timeout=START
    )
    assert done.stdout == "2.1.2\n"


async def test_it_ends_with_its_input_though_a_stream_is_open(
    executable: Path, own_environment: dict[str, str], own_folder: Path
) -> None:
    with served(executable, own_environment) as (process, url):
        async with loopback_client(url) as http:
            refused = await http.get("/api/info")
            assert (refused.status_code, refused.json()["_tag"]) == (401, "UnauthorizedError")
        async with loopback_client(url, auth=AUTH) as http, http.stream("GET", "/api/event") as stream:
            lines = stream.aiter_lines()
            assert "server.connected" in await anext(lines)
            assert process.stdin
            process.stdin.close()
            assert [line async for line in lines if line.startswith("data:")] == []
        assert process.wait(START) == 0
    await nothing_left_of(own_folder)


async def test_nothing_is_left_of_it_after_a_kill(
    executable: Path, own_environment: dict[str, str], own_folder: Path
) -> None:
    with served(executable, own_environment) as (process, url):
        assert len(left_of(own_folder)) > 1
        process.kill()
        process.wait(START)
        async with loopback_client(url) as http:
            with pytest.raises(httpx.TransportError):
                await http.get("/api/info")
    await nothing_left_of(own_folder)

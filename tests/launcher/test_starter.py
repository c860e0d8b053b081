"""Starting a server, and what is said of one that does not start."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import OpenCodeNotStarting
from opencode_mcp.launcher.executables.executable import Executable
from opencode_mcp.launcher.executables.serve_command import announced_url
from opencode_mcp.launcher.server_record import StateFiles
from opencode_mcp.launcher.starter import Starter, working_directory
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.processes.ending import end
from opencode_mcp.processes.process_table import born
from opencode_mcp.settings import Settings
from tests.harness.each import for_each
from tests.harness.servers.opencode import binary
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def starter(settings: Settings, state: StateFiles) -> Starter:
    state.prepare()
    return Starter(settings, state)


SERVING = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/api/info"
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"version": "2.1.2", "pid": 1}).encode() if found else b"{}")

server = HTTPServer(("127.0.0.1", 0), Handler)
print("server listening on http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""
"""A program that answers as an OpenCode 2."""


def executable(folder: Path, code: str, generation: Generation = 1) -> Executable:
    """An executable that is no OpenCode."""
    path = folder / "opencode"
    path.write_text(f"#!{sys.executable}\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return Executable(path, generation)


async def test_one_that_ends_is_reported_with_its_exit_code_and_what_it_printed(
    starter: Starter, state: StateFiles, tmp_path: Path
) -> None:
    fake = executable(tmp_path, "import sys; print('no'); print('disk full', file=sys.stderr); sys.exit(3)")
    with pytest.raises(OpenCodeNotStarting) as caught:
        await starter.start(fake, timeout=30)
    for part in (str(fake.path), "exit code 3", "no", "disk full"):
        assert part in caught.value.message
    assert state.read_record() is None


async def test_what_it_printed_is_reported_without_the_password(starter: Starter, tmp_path: Path) -> None:
    fake = executable(tmp_path, "import os; print('password is', os.environ['OPENCODE_SERVER_PASSWORD'])")
    with pytest.raises(OpenCodeNotStarting) as caught:
        await starter.start(fake, timeout=30)
    assert "password is [hidden: a secret]" in caught.value.message


async def test_one_that_is_never_healthy_is_ended_and_reported(
    starter: Starter, state: StateFiles, tmp_path: Path
) -> None:
    fake = executable(tmp_path, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    with pytest.raises(OpenCodeNotStarting, match="not healthy within 1 s"):
        await starter.start(fake, timeout=1)
    assert born(int(state.output.read_text(encoding="utf-8"))) == ""
    assert state.read_record() is None


async def test_what_the_system_cannot_run_is_reported(starter: Starter, tmp_path: Path) -> None:
    fake = tmp_path / "opencode"
    fake.write_bytes(b"\x7fELF of another world")
    fake.chmod(0o755)
    with pytest.raises(OpenCodeNotStarting, match="cannot be run: Exec format error"):
        await starter.start(Executable(fake, 1), timeout=30)


async def test_a_server_gets_the_environment_the_directory_and_a_password(
    starter: Starter, settings: Settings, state: StateFiles, tmp_path: Path
) -> None:
    code = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))"
    with pytest.raises(OpenCodeNotStarting):
        await starter.start(executable(tmp_path, code), timeout=30)
    arguments, directory, environment = json.loads(state.output.read_bytes())
    assert arguments == ["serve", "--hostname", "127.0.0.1", "--port", "0"]
    assert directory == settings.directories[0]
    assert environment["OPENCODE_CONFIG_CONTENT"] == settings.environment["OPENCODE_CONFIG_CONTENT"]
    assert environment["OPENCODE_SERVER_USERNAME"] == "opencode"
    assert environment["OPENCODE_MCP_DEPTH"] == "1"
    assert environment["OPENCODE_MCP_INSIDE"] == str(state.directory)
    assert len(environment["OPENCODE_SERVER_PASSWORD"]) > 40


async def test_an_opencode_2_gets_its_password_in_its_own_variable_and_an_input_that_stays_open(
    settings: Settings, state: StateFiles, tmp_path: Path
) -> None:
    state.prepare()
    inherited = {**settings.environment, "OPENCODE_PASSWORD": "inherited", "OPENCODE_SERVER_PASSWORD": "inherited"}
    code = """
import json, os, select, sys
ended = bool(select.select([sys.stdin], [], [], 0.2)[0])
print(json.dumps([sys.argv[1:], ended, {name: value for name, value in os.environ.items() if name != "PATH"}]))
"""
    with pytest.raises(OpenCodeNotStarting):
        await Starter(replace(settings, environment=inherited), state).start(executable(tmp_path, code, 2), timeout=30)
    arguments, ended, environment = json.loads(state.output.read_bytes())
    assert arguments == ["serve", "--stdio", "--hostname", "127.0.0.1", "--port", "0"]
    assert not ended
    assert len(environment["OPENCODE_PASSWORD"]) > 40
    assert "OPENCODE_SERVER_PASSWORD" not in environment


async def test_one_that_is_of_another_generation_than_it_seemed_is_ended_and_reported(
    starter: Starter, state: StateFiles, tmp_path: Path
) -> None:
    with pytest.raises(OpenCodeNotStarting, match=r"2\.1\.2, and was expected to serve OpenCode 1") as caught:
        await starter.start(executable(tmp_path, SERVING, 1), timeout=30)
    assert "Call again" in caught.value.hint
    assert state.read_record() is None


@for_each(
    ("output", "url"),
    [
        (b"opencode server listening on http://127.0.0.1:4096\n", "http://127.0.0.1:4096"),
        (b"Warning: x\nserver listening on http://127.0.0.1:5\nserver password y\n", "http://127.0.0.1:5"),
        (b'{"url":"http://127.0.0.1:49374"}\n', "http://127.0.0.1:49374"),
        (b'noise\n{"url": "http://127.0.0.1:1"}\r\n', "http://127.0.0.1:1"),
        (b'{"url":"http://example.org:80"}\n', ""),
        (b"the server listening on http://127.0.0.1:1\n", ""),
        (b"", ""),
    ],
)
def test_the_address_is_read_from_what_either_generation_prints(output: bytes, url: str) -> None:
    assert announced_url(output) == url


async def test_a_password_of_the_environment_does_not_reach_it(
    settings: Settings, state: StateFiles, tmp_path: Path
) -> None:
    state.prepare()
    inherited = {**settings.environment, "OPENCODE_SERVER_PASSWORD": "inherited"}
    starter = Starter(replace(settings, environment=inherited), state)
    fake = executable(tmp_path, "import os; print(os.environ['OPENCODE_SERVER_PASSWORD'])")
    with pytest.raises(OpenCodeNotStarting):
        await starter.start(fake, timeout=30)
    assert "inherited" not in state.output.read_text(encoding="utf-8")


async def test_a_start_that_is_given_up_has_its_record_on_disk(starter: Starter, state: StateFiles) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: starter.start(Executable(binary(), 1), timeout=60))

        async def look() -> bool:
            record = state.read_record()
            return record is not None and record.process.pid != 0

        await eventually(look)
        tasks.cancel_scope.cancel()
    record = state.read_record()
    assert record
    assert await record.process.runs()
    await end(record.process, grace=5)


def test_a_server_works_in_the_first_of_the_directories_that_exists(tmp_path: Path) -> None:
    settings = Settings(directories=(str(tmp_path / "absent"), str(tmp_path)))
    assert working_directory(settings) == tmp_path


def test_without_directories_a_server_works_where_the_bridge_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert working_directory(Settings()) == tmp_path


def test_a_server_does_not_work_in_the_root_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert working_directory(Settings()) == Path.home()

"""Two bridges behind one address: nginx and Caddy, with TLS and with the configurations of the documentation."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.bridges.bridge import Era, connected
from tests.harness.bridges.forked import COMMAND
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.raw_http import RawHttp
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.processes.isolation import ROOT
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.servers.reverse_proxy import NAME, PROGRAMS, Certificate, Program, certificate, executable, proxying
from tests.harness.waiting import eventually
from tests.http.operator import Operator
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import bash, hold, script, step, text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="the clients need several addresses of this machine"),
]

FLAGS = ("--http-host", NAME, "--forwarded-allow", "127.0.0.1")
"""Flags of the documentation."""
WITH_TASKS = Client("2026-07-28", capabilities={"extensions": {"io.modelcontextprotocol/tasks": {}}})
SOURCES = [f"127.0.0.{number}" for number in range(2, 18)]
"""Addresses of clients: more than a proxy would send to one of two processes by chance."""


@dataclass(frozen=True, slots=True)
class Bridges:
    """Two bridges, each with a state folder of its own."""

    served: tuple[Served, Served]
    token: str

    @property
    def addresses(self) -> list[str]:
        """Return their hosts and ports."""
        return [each.base.removeprefix("http://") for each in self.served]

    def requests(self, method: str) -> list[int]:
        """Return how many requests each has answered."""
        lines = [each.launch.printed().splitlines() for each in self.served]
        return [sum(_is_of(method, line) for line in of_bridge) for of_bridge in lines]


def _is_of(method: str, line: str) -> bool:
    return line.startswith('{"log": "access"') and json.loads(line)["method"] == method


@pytest.fixture(scope="module")
def bridges(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode1: OpenCode
) -> Iterator[Bridges]:
    folder = tmp_path_factory.mktemp("bridges")
    operator = Operator(folder)
    token = operator.principal("laptop")
    make_project(folder / "laptop")
    key = folder / "key"
    key.write_text("k" * 64, encoding="utf-8")
    key.chmod(0o600)
    with ExitStack() as stack:
        served: list[Served] = []
        for name in ("one", "two"):
            own = folder / name
            own.mkdir()
            variables = attaching(own, scripted_model, opencode1, folder / "laptop").environment
            launch = Launch((), {**variables, "OPENCODE_MCP_CONFIG": str(operator.settings)}, own / "bridge.log")
            served.append(stack.enter_context(serving(launch, *FLAGS, "--key-file", str(key))))
        yield Bridges((served[0], served[1]), token)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(autouse=True)
def proxy_is_at_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve the name in the configurations to this machine."""
    look_up = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as the real one
        return look_up("127.0.0.1" if host in {NAME, NAME.encode()} else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture(params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest) -> Program:
    found = PROGRAMS[request.param]
    if not executable(found):
        pytest.skip(f"{found.name} is not installed")
    return found


@pytest.fixture
def proxy(program: Program, bridges: Bridges, own: Certificate, tmp_path: Path) -> Generator[str]:
    with proxying(program, bridges.addresses, own, tmp_path) as url:
        yield url


@pytest.mark.both_eras
async def test_progress_arrives_before_the_result(
    proxy: str, bridges: Bridges, own: Certificate, scripted_model: ScriptedModel, era: Era
) -> None:
    async with connected(
        proxy, bridges.served[0].launch, era=era, token=bridges.token, certificates=own.clients
    ) as bridge:
        host = Host(bridge)
        async with meanwhile(lambda: host.run(bash("true"), step(hold("streamed"), text("It is done.")))) as returned:
            await scripted_model.reached("streamed")
            await host.wait_for_progress("")
            assert returned == []
            await scripted_model.release("streamed")
        assert returned[0]["text"] == "It is done."


async def test_a_client_of_the_2025_era_comes_back_to_its_process(
    proxy: str, bridges: Bridges, own: Certificate
) -> None:
    before = bridges.requests("initialize")
    for source in SOURCES:
        async with RawHttp(proxy, bridges.token, Client(), own.clients, source).connection() as http:
            session = await opened(http, proxy)
            for number in range(2):
                ping = {"jsonrpc": "2.0", "id": number + 2, "method": "ping"}
                response = await http.post(proxy, json=ping, headers={"Mcp-Session-Id": session, "Connection": "close"})
                assert response.status_code == 200, response.text
    after = bridges.requests("initialize")
    assert sum(after) - sum(before) == len(SOURCES)
    assert all(more > less for more, less in zip(after, before, strict=True))


async def opened(http: httpx.AsyncClient, url: str) -> str:
    """Open a session, and return its id."""
    client = Client()
    params = {"protocolVersion": client.protocol, "capabilities": {}, "clientInfo": client.info}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    response = await http.post(url, json=hello, headers={"Connection": "close"})
    assert response.status_code == 200, response.text
    return response.headers["mcp-session-id"]


async def test_a_client_of_the_2026_era_is_served_by_any_process(
    program: Program, bridges: Bridges, own: Certificate, tmp_path: Path, scripted_model: ScriptedModel
) -> None:
    before = bridges.requests("tasks/get")
    with proxying(program, bridges.addresses, own, tmp_path, sticky=False) as url:
        client = RawHttp(url, bridges.token, WITH_TASKS, own.clients)
        prompt = script(step(hold("any process"), text("Done.")))
        made = (await client.request("tools/call", {"name": "opencode_run", "arguments": {"prompt": prompt}}))["result"]
        statuses = [await status(client, made["taskId"]) for _ in range(4)]
        await scripted_model.release("any process")
        assert statuses == ["working"] * 4

        async def is_over() -> bool:
            return await status(client, made["taskId"]) == "completed"

        await eventually(is_over)
    assert all(more > less for more, less in zip(bridges.requests("tasks/get"), before, strict=True))


async def status(client: RawHttp, task: str) -> str:
    response = await client.request("tasks/get", {"taskId": task})
    assert "result" in response, response
    return response["result"]["status"]


async def test_the_address_of_the_client_and_its_token_arrive(proxy: str, bridges: Bridges, own: Certificate) -> None:
    async with RawHttp(proxy, "ocmcp_wrong", Client(), own.clients, "127.0.0.99").connection() as http:
        refused = await http.post(proxy, json={}, headers={"X-Forwarded-For": "203.0.113.9"})
        assert refused.status_code == 401
        assert (await http.get(proxy.replace("/mcp", "/healthz"))).status_code == 404
    printed = "".join(each.launch.printed() for each in bridges.served)
    assert "a wrong token came from 127.0.0.99" in printed
    assert "203.0.113.9" not in printed


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_of_systemd_is_valid(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "opencode-mcp.service").read_text(encoding="utf-8")
    copy = tmp_path / "opencode-mcp.service"
    copy.write_text(unit.replace("%h/.local/bin/opencode-mcp", str(COMMAND)), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert done.returncode == 0, done.stderr
    assert str(copy) not in done.stderr

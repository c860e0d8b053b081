"""Metrics for Prometheus: what is counted, where, and that no client can make a new time series."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from opencode_mcp.doctor.http_checks import http_findings
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.metrics import serving as metrics_serving
from opencode_mcp.http.metrics.serving import metrics_of
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import connected
from tests.harness.bridges.launch import attaching
from tests.harness.bridges.served import Served, serving
from tests.harness.servers.http import ask, loopback_client
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.http.operator import HEADERS, LIST, MODERN, Operator, listed
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import hold, step, text

pytestmark = pytest.mark.anyio

SECRET = "a name that a client chose"


@pytest.fixture(scope="module")
def served(operator: Operator, laptop: str) -> Iterator[Served]:
    assert laptop
    with serving(operator.launch, "--metrics", "0") as bridge:
        yield bridge


def address(served: Served) -> str:
    """Return the URL of the metrics, which the command prints."""
    found = re.search(r"Metrics are served at (\S+)", served.launch.printed())
    assert found
    return found[1]


def metrics(served: Served) -> dict[str, float]:
    """Read the metrics."""
    response = ask("GET", address(served))
    assert response.status_code == 200, response.text
    lines = [line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def counted(served: Served, name: str, least: float = 1) -> None:
    """Wait until something was counted."""

    async def look() -> bool:
        return metrics(served).get(name, 0) >= least

    await eventually(look)


def requests(method: str, outcome: str, tool: str = "") -> str:
    return f'opencode_mcp_requests_total{{method="{method}",outcome="{outcome}",tool="{tool}"}}'


async def send(served: Served, token: str, method: str, name: str = "") -> httpx.Response:
    """Send a request of the 2026 era."""
    params: dict[str, object] = {"_meta": MODERN.envelope(), **({"name": name, "arguments": {}} if name else {})}
    headers = HEADERS | {"Authorization": f"Bearer {token}", "Mcp-Method": method, "Mcp-Name": name}
    async with loopback_client(served.base) as http:
        return await http.post("/mcp", json=LIST | {"method": method, "params": params}, headers=headers)


async def test_requests_are_counted_by_method_tool_and_outcome(served: Served, laptop: str) -> None:
    assert (await listed(served, laptop)).status_code == 200
    await send(served, laptop, "tools/call", "opencode_run")
    await counted(served, requests("tools/list", "ok"))
    await counted(served, requests("tools/call", "error", "opencode_run"))
    await counted(served, 'opencode_mcp_request_seconds_count{method="tools/list",tool=""}')
    await counted(served, 'opencode_mcp_http_responses_total{status="200"}')


async def test_what_a_client_names_is_no_label(served: Served, laptop: str) -> None:
    await send(served, laptop, "tools/call", SECRET)
    await send(served, laptop, f"tools/{SECRET}")
    text = ask("GET", address(served)).text
    assert SECRET not in text
    assert "laptop" not in text
    assert 'tool="other"' in text


async def test_wrong_tokens_are_counted(served: Served) -> None:
    before = metrics(served)["opencode_mcp_failed_authentications_total"]
    await listed(served, "ocmcp_wrong")
    await counted(served, "opencode_mcp_failed_authentications_total", before + 1)
    await counted(served, 'opencode_mcp_http_responses_total{status="401"}')


async def test_sessions_and_connections_are_counted_while_they_are_open(served: Served, laptop: str) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": MODERN.info},
    }
    headers = {"Accept": HEADERS["Accept"], "Authorization": f"Bearer {laptop}"}
    async with loopback_client(served.base, headers=headers) as http:
        opened = await http.post("/mcp", json=hello)
        assert metrics(served)["opencode_mcp_sessions"] == 1
        assert metrics(served)["opencode_mcp_connections"] >= 1
        await http.delete("/mcp", headers={"Mcp-Session-Id": opened.headers["mcp-session-id"]})
    assert metrics(served)["opencode_mcp_sessions"] == 0
    assert metrics(served)['opencode_mcp_tasks{status="queued"}'] == 0
    assert metrics(served)["opencode_mcp_waits"] == 0


async def test_the_metrics_have_an_address_of_their_own(served: Served, laptop: str) -> None:
    base = address(served).removesuffix("/metrics")
    assert base.startswith("http://127.0.0.1:")
    assert ask("GET", f"{base}/mcp").status_code == 404
    assert ask("GET", address(served), headers={"Host": "attacker.example"}).status_code == 421
    headers = {"Authorization": f"Bearer {laptop}"}
    assert ask("GET", f"{served.base}/metrics", headers=headers).status_code == 404


def test_without_the_library_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def __getattr__(self, name: str) -> object:
            raise ModuleNotFoundError(name)

    monkeypatch.setattr(metrics_serving, "instruments", Missing())
    with (
        pytest.raises(InvalidSetting, match=r"Install opencode-mcp\[metrics\]"),
        metrics_of(Settings(metrics="[::1]:0")),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets here")
def test_metrics_can_be_at_a_unix_socket_and_the_doctor_knows_a_bridge_that_runs(
    operator: Operator, laptop: str
) -> None:
    assert laptop, "the bridge needs a principal"
    path = Path(operator.environment["HOME"]) / "metrics.sock"
    with serving(operator.launch, "--metrics", f"unix:{path}") as served:
        settings = Settings(http=served.base.removeprefix("http://"), metrics=f"unix:{path}", insecure_no_auth=True)
        found = {finding.check: (finding.grade, finding.text) for finding in http_findings(settings)}
        for check in ("HTTP address", "metrics"):
            assert found[check][0] == "ok"
            assert "is used by a bridge that runs" in found[check][1]
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport) as http:
            assert "opencode_mcp_connections" in http.get("http://localhost/metrics").text
    assert not path.exists()


@pytest.mark.integration
async def test_runs_waits_and_tasks_are_counted_while_they_last(
    tmp_path: Path, scripted_model: ScriptedModel, opencode1: OpenCode, project: Path
) -> None:
    launch = attaching(tmp_path, scripted_model, opencode1, project)
    with serving(launch, "--insecure-no-auth", "--metrics", "0", "--max-runs", "1") as served:
        async with connected(served.url, served.launch) as bridge:
            host = Host(bridge)
            async with meanwhile(lambda: host.run(step(hold("counted"), text("Done.")))):
                await scripted_model.reached("counted")
                await counted(served, 'opencode_mcp_runs{state="busy"}')
                assert metrics(served)["opencode_mcp_waits"] == 1
                await host.another().data("opencode_run_many", tasks=[{"prompt": "x"}], wait_seconds=0)
                assert metrics(served)['opencode_mcp_tasks{status="queued"}'] == 1
                await scripted_model.release("counted")
            await counted(served, requests("tools/call", "ok", "opencode_run"))
            assert metrics(served)["opencode_mcp_upstream_reconnects_total"] == 0

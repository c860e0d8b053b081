"""A call that ends since the rights of its principal change gets an error with this reason, in both eras."""

import json
import socket
from collections.abc import Iterator

import anyio
import httpx
import pytest

from tests.harness.bridges.bridge import Era
from tests.harness.bridges.served import Served, serving
from tests.harness.servers.http import loopback_client
from tests.http.operator import HEADERS, MODERN, Operator
from tests.http.principals.test_tokens_over_http import opened_session

pytestmark = [pytest.mark.anyio, pytest.mark.both_eras]


@pytest.fixture(scope="module")
def silent_opencode() -> Iterator[socket.socket]:
    """An address that takes connections and never answers, so that a call goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.fixture(scope="module")
def served(operator: Operator, laptop: str, silent_opencode: socket.socket) -> Iterator[Served]:
    assert laptop
    url = f"http://127.0.0.1:{silent_opencode.getsockname()[1]}"
    launch = operator.launch.within(OPENCODE_MCP_URL=url, OPENCODE_MCP_PASSWORD="x")
    with serving(launch, "--log-level", "DEBUG") as bridge:
        yield bridge


async def calling(http: httpx.AsyncClient, era: Era, token: str) -> tuple[dict[str, object], dict[str, str]]:
    """Return a call that waits for OpenCode, and the headers of its request."""
    call: dict[str, object] = {"name": "opencode_wait", "arguments": {"session_id": "ses_1"}}
    if era == "2025":
        return call, await opened_session(http, token)
    named = {"Mcp-Method": "tools/call", "Mcp-Name": "opencode_wait"}
    return {**call, "_meta": MODERN.envelope()}, HEADERS | named


async def test_a_call_ends_with_an_error_if_the_rights_of_its_principal_have_changed(
    served: Served, operator: Operator, silent_opencode: socket.socket, era: Era
) -> None:
    token = operator.principal(f"changing-{era}")
    texts: list[str] = []
    connections: list[tuple[socket.socket, object]] = []
    async with (
        loopback_client(served.base, headers={"Accept": HEADERS["Accept"]}) as http,
        anyio.create_task_group() as tasks,
    ):
        params, headers = await calling(http, era, token)

        async def call() -> None:
            body = {"jsonrpc": "2.0", "id": "waits", "method": "tools/call", "params": params}
            answer = await http.post("/mcp", json=body, headers={**headers, "Authorization": f"Bearer {token}"})
            texts.append(answer.text)

        tasks.start_soon(call)
        connections.append(await anyio.to_thread.run_sync(silent_opencode.accept))
        text = operator.settings.read_text(encoding="utf-8")
        operator.settings.write_text(f"{text.rstrip()}\nread_only = true\n", encoding="utf-8")
    connections[0][0].close()
    error = json.loads(texts[0].rpartition("data: ")[2])
    assert error["id"] == "waits"
    assert error["error"]["message"].startswith("The rights of this principal have changed")

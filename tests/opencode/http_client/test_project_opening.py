"""The first request of a project waits as long as OpenCode opens it, and not when OpenCode is dead."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client import project_opening as opening
from opencode_mcp.opencode.http_client.codec import HttpRequest, encode
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.project_opening import project_of
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from tests.harness.faults.slow_proxy import SlowProxy, slow_proxy_to
from tests.harness.operations import operation
from tests.harness.servers.opencode import OpenCode, free_port
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 30
ROUNDS = 3


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ROUND_SECONDS", 0.3)
    monkeypatch.setattr(opening, "ALIVE_TIMEOUT_SECONDS", 0.5)


@pytest.fixture
async def proxy(opencode_server: OpenCode) -> AsyncGenerator[SlowProxy]:
    async with slow_proxy_to(opencode_server.url) as slow:
        yield slow


@pytest.fixture
async def transport(proxy: SlowProxy, opencode_server: OpenCode) -> AsyncGenerator[Transport]:
    transport = Transport(Endpoint(url=proxy.url, password=opencode_server.password))
    with anyio.fail_after(SECONDS):
        yield transport
    await transport.aclose()


async def _rounds_are_over(proxy: SlowProxy) -> None:
    async def look() -> bool:
        return proxy.waiting >= ROUNDS

    await eventually(look)


@pytest.mark.parametrize("changes", [False, True], ids=["a read", "a change"])
async def test_a_project_that_opens_slower_than_any_time_out_is_waited_for(
    proxy: SlowProxy,
    transport: Transport,
    project: Path,
    changes: bool,  # noqa: FBT001
) -> None:
    client = OpenCodeClient(transport)
    answered: list[object] = []

    async def ask() -> None:
        asked = client.session_create(str(project)) if changes else client.agents(str(project))
        answered.append(await asked)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await _rounds_are_over(proxy)
        assert not answered
        proxy.release()
    assert answered
    assert len((await client.all_sessions(SessionFilter(), str(project))).items) == int(changes)


async def test_an_opencode_that_is_dead_while_a_project_opens_is_reported(
    proxy: SlowProxy, transport: Transport, project: Path
) -> None:
    proxy.holds = lambda _request: True
    with pytest.raises(BackendTimeout):
        await OpenCodeClient(transport).agents(str(project))


async def test_a_change_that_was_held_up_by_an_opening_that_broke_was_not_sent(project: Path) -> None:
    transport = Transport(Endpoint(url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(BackendUnavailable) as caught:
        await OpenCodeClient(transport).session_create(str(project))
    assert not caught.value.sent
    await transport.aclose()


@pytest.mark.parametrize(
    ("request_", "project"),
    [
        (encode(operation("global.health")), None),
        (encode(operation("session.get"), path={"sessionID": "ses_1"}), None),
        (encode(operation("session.get"), path={"sessionID": "ses_1"}, directory="/a"), "/a"),
        (encode(operation("v2.fs.read"), path={"path": "x"}, directory="/a b"), "/a b"),
        (encode(operation("session.list"), directory="/50%"), "/50%25"),
        (encode(operation("experimental.session.list")), ""),
        (HttpRequest(method="GET", path="/doc"), ""),
    ],
    ids=lambda value: value.path if isinstance(value, HttpRequest) else str(value),
)
def test_a_request_names_the_project_that_must_be_open(request_: HttpRequest, project: str | None) -> None:
    assert project_of(request_) == project


def test_a_new_session_of_opencode_2_names_its_project_in_the_body() -> None:
    create = HttpRequest(method="POST", path="/api/session", body={"location": {"directory": "/50%"}})
    assert project_of(create, generation=2) == "/50%"
    assert project_of(HttpRequest(method="POST", path="/api/session", body=["location"]), generation=2) is None

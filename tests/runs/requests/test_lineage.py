"""Parents of a subagent's session are known up to the topmost one, whose decisions hold for all below it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import pytest

from opencode_mcp.errors import BackendFailed
from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.requests import open_requests as requests_module
from opencode_mcp.runs.requests.open_requests import Requests
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def requests(endpoint: Endpoint, hub: Hub) -> AsyncGenerator[Requests]:
    """With a hub that has got no event of any session, as after a restart of the bridge."""
    async with aclosing(Connection(Route(endpoint))) as connection:
        yield Requests(OpenCodeClient(connection), hub)


async def chain(http: httpx.AsyncClient, length: int) -> list[str]:
    """Sessions of which each is a subagent's of the next one."""
    made: list[str] = []
    for _ in range(length):
        body = {"parentID": made[-1]} if made else {}
        made.append((await http.post("/session", json=body)).raise_for_status().json()["id"])
    return made[::-1]


async def test_a_line_whose_lower_part_alone_is_known_is_followed_to_its_top(
    requests: Requests, hub: Hub, http: httpx.AsyncClient
) -> None:
    line = await chain(http, 4)
    hub.adopt(line[0], line[1])
    assert await requests.lineage(line[0]) == line
    assert await requests.lineage(line[-1]) == line[-1:]


async def test_a_line_that_is_too_long_is_an_error_and_not_a_shorter_line(
    requests: Requests, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_module, "DEEPEST_SUBAGENT", 3)
    line = await chain(http, 5)
    assert await requests.lineage(line[2]) == line[2:]
    with pytest.raises(BackendFailed, match="more than 3 sessions above it"):
        await requests.lineage(line[0])

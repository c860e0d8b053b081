"""A reply that is too large to take into memory: refused, read in smaller pages, or read as it comes."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import httpx
import pytest

from opencode_mcp.errors import BackendFailed
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client import transport
from opencode_mcp.opencode.http_client.codec import TOO_LARGE
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LIMIT = 100_000


@pytest.fixture
async def client(opencode_server: OpenCode, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[OpenCodeClient]:
    monkeypatch.setattr(transport, "REPLY_LIMIT_BYTES", LIMIT)
    endpoint = Endpoint(url=opencode_server.url, password=opencode_server.password)
    with anyio.fail_after(60):
        async with connected(endpoint) as connection:
            yield connection


async def session_of(http: httpx.AsyncClient, *sizes: int) -> str:
    """A session with messages of these lengths."""
    session_id = (await http.post("/session", json={})).raise_for_status().json()["id"]
    for size in sizes:
        body = {"noReply": True, "parts": [{"type": "text", "text": "x" * size}]}
        (await http.post(f"/session/{session_id}/message", json=body)).raise_for_status()
    return session_id


async def test_pages_of_large_messages_are_shorter_and_joined_they_are_the_whole(
    client: OpenCodeClient, opencode_server: OpenCode, project: Path
) -> None:
    async with opencode_server.client(project) as http:
        session_id = await session_of(http, *[60_000] * 5)
        every = [message["info"]["id"] for message in (await http.get(f"/session/{session_id}/message")).json()]
    assert len(every) == 5
    read: list[str] = []
    cursor = ""
    while True:
        page = await client.session_messages(session_id, limit=5, before=cursor)
        assert len(page.items) == 1
        read = [message.info.id for message in page.items] + read
        cursor = page.cursor
        if not cursor:
            break
    assert read == every


async def test_one_message_that_is_too_large_is_reported(
    client: OpenCodeClient, opencode_server: OpenCode, project: Path
) -> None:
    async with opencode_server.client(project) as http:
        session_id = await session_of(http, 2 * LIMIT)
    with pytest.raises(BackendFailed, match="larger than") as failed:
        await client.session_messages(session_id, limit=5)
    assert failed.value.kind == TOO_LARGE


async def test_a_file_is_read_as_it_comes_however_large(client: OpenCodeClient, project: Path) -> None:
    (project / "large.txt").write_bytes(b"x" * 5 * LIMIT)
    async with client.file_bytes(str(project), "large.txt") as body:
        assert sum([len(piece) async for piece in body.chunks]) == 5 * LIMIT

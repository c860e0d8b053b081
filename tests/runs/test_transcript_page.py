"""A page of a transcript holds as many messages as fit, and the next page goes on where it ended."""

import re

import httpx
import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.events.hub import Hub
from opencode_mcp.markdown.transcript_page import read_transcript
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MESSAGE = re.compile(r"^### .*(msg_\w+)", re.MULTILINE)


async def noted(http: httpx.AsyncClient, client: OpenCodeClient, count: int) -> Session:
    """A session with so many messages of some length."""
    session = Session.read((await http.post("/session", json={})).raise_for_status().json())
    for number in range(count):
        body = {"noReply": True, "parts": [{"type": "text", "text": f"{number} {'x' * 500}"}]}
        (await http.post(f"/session/{session.id}/message", json=body)).raise_for_status()
    return await client.session_get(session.id)


@pytest.mark.parametrize("characters", [400, 700, 3000, 100_000])
async def test_pages_joined_are_the_whole_however_little_fits(
    http: httpx.AsyncClient, hub: Hub, characters: int
) -> None:
    client = OpenCodeClient(await hub.ensure())
    session = await noted(http, client, 12)
    every = [message["info"]["id"] for message in (await http.get(f"/session/{session.id}/message")).json()]
    shown: list[str] = []
    cursor = ""
    while True:
        page = await read_transcript(client, session, limit=50, cursor=cursor, characters=characters)
        assert len(page.text) <= characters
        shown = MESSAGE.findall(page.text) + shown
        cursor = page.cursor
        if not cursor:
            break
    assert shown == every


async def test_a_session_without_messages_says_so(http: httpx.AsyncClient, hub: Hub) -> None:
    client = OpenCodeClient(await hub.ensure())
    session = await noted(http, client, 0)
    page = await read_transcript(client, session, limit=5, characters=1000)
    assert (page.text, page.cursor) == ("No message yet.", "")


async def test_a_cursor_that_is_none_is_refused(http: httpx.AsyncClient, hub: Hub) -> None:
    client = OpenCodeClient(await hub.ensure())
    session = await noted(http, client, 1)
    with pytest.raises(InvalidArgument, match="The cursor 'x'"):
        await read_transcript(client, session, limit=5, cursor="x", characters=1000)

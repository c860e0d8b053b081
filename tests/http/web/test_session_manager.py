"""Sessions of the 2025 era: the error for a client that gets none has the reason and the time to ask again."""

import httpx
import pytest
from mcp.server.mcpserver import MCPServer

from opencode_mcp.http.web import session_manager
from tests.http.test_bad_requests import HELLO

pytestmark = pytest.mark.anyio


async def test_a_session_beyond_the_limit_is_refused_and_says_when_there_may_be_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = session_manager.SessionManager(MCPServer[None]("small"))
    monkeypatch.setattr(session_manager, "MOST_SESSIONS", 0)
    async with (
        manager.run(),
        httpx.AsyncClient(transport=httpx.ASGITransport(manager.asgi_app), base_url="http://localhost") as http,
    ):
        refused = await http.post("/mcp", json=HELLO, headers={"Accept": "application/json, text/event-stream"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert "which is the limit" in refused.json()["error"]["message"]

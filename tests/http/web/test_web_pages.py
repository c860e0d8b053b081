"""Web pages: only those of named origins may read responses (CORS)."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from opencode_mcp.http.address import Address
from opencode_mcp.http.web.header_checks import allowed_names
from opencode_mcp.http.web.http_app import HttpApp
from opencode_mcp.settings import Settings

pytestmark = pytest.mark.anyio

NAMED, OWN, OTHER = "https://page.example", "http://localhost:8700", "https://other.example"
READABLE = "access-control-allow-origin"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,mcp-method"}


class Served:
    """Answers every request."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await PlainTextResponse("served")(scope, receive, send)


async def asked(method: str, origin: str, **headers: str) -> httpx.Response:
    settings = Settings(http_origin=(NAMED,))
    app = HttpApp(Served(), allowed_names(settings, Address("127.0.0.1", 8700)), settings.http_origin)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8700") as http:
        return await http.request(method, "/mcp", headers={"Origin": origin, **headers})


async def test_a_named_page_may_ask_and_read() -> None:
    preflight = await asked("OPTIONS", NAMED, **PREFLIGHT)
    assert (preflight.status_code, preflight.headers[READABLE]) == (200, NAMED)
    response = await asked("POST", NAMED)
    assert (response.text, response.headers[READABLE]) == ("served", NAMED)
    assert "mcp-session-id" in response.headers["access-control-expose-headers"]


async def test_no_other_page_is_answered_and_none_may_read() -> None:
    for method, headers in (("POST", dict[str, str]()), ("OPTIONS", PREFLIGHT)):
        refused = await asked(method, OTHER, **headers)
        assert refused.status_code == 403
        assert READABLE not in refused.headers
    assert READABLE not in (await asked("POST", OWN)).headers

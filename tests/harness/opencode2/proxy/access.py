"""Access to the proxy: the password, the directory, a server that is starting."""

import base64

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.harness.opencode2.proxy.places import missing_directory
from tests.harness.opencode2.proxy.replies import failed, no_location
from tests.harness.opencode2.switches import Switches

CONTROL = "/test/switches"
"""Path at which a test turns switches on and off; it is no part of the contract."""


class Access:
    """Lets requests with the password through to an application, unless the switches or the directory forbid it."""

    def __init__(self, app: ASGIApp, password: str, switches: Switches) -> None:
        self._app = app
        self._token = base64.b64encode(f"opencode:{password}".encode()).decode()
        self._switches = switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass, or pass it on."""
        reply = await self._refusal(scope, receive) if scope["type"] == "http" else None
        await (reply or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        request = Request(scope, receive)
        if not self._may(request):
            return failed(401, "UnauthorizedError", "Authentication required")
        if request.url.path == CONTROL:
            self._switches.set(await request.json())
            return Response(status_code=204)
        if self._switches.starting:
            return JSONResponse({"code": "service_starting"}, 503, {"retry-after": "1"})
        missing = missing_directory(request)
        return no_location(missing) if missing else None

    def _may(self, request: HTTPConnection) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        return self._token in (given, request.query_params.get("auth_token"))

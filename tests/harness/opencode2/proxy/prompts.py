"""Routes that make a session work and stop: prompts, commands, skills, the inbox, interrupts."""

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.replies import failed, not_presented
from tests.harness.opencode2.proxy.upstream import Json, Refused, Upstream
from tests.harness.opencode2.switches import Switches

DONE, CONFLICT = 204, 409
COMMAND_FIELDS = ("files", "agents", "delivery")


class Prompts:
    """Serves the routes that start and stop executions."""

    def __init__(self, upstream: Upstream, switches: Switches) -> None:
        self._upstream = upstream
        self._switches = switches

    async def admit(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/prompt``, ``.../synthetic`` and ``.../compact``."""
        text = await request.body()
        body = cast("Json", await request.json()) if text else {}
        if body.get("skills"):
            return not_presented("skills attached to a prompt.")
        try:
            reply = await self._upstream.ask("POST", request.url.path, body)
        except Refused as refused:
            earlier = await self._earlier(request, body, refused)
            if earlier is None or self._switches.same_id_conflicts:
                raise
            return JSONResponse({"data": earlier})
        return JSONResponse({"data": shapes.inbox_item(reply["data"])})

    async def _earlier(self, request: Request, body: Json, refused: Refused) -> Json | None:
        """Find the prompt of this session that has the id already."""
        if refused.reply.status_code != CONFLICT or not request.url.path.endswith("/prompt"):
            return None
        session, wanted = request.path_params["sessionID"], body.get("id")
        for item in await self._upstream.read(f"/api/session/{session}/pending"):
            if item["id"] == wanted and item["type"] == "user":
                return shapes.inbox_item(item)
        try:
            found = await self._upstream.read(f"/api/session/{session}/message/{wanted}")
        except Refused:
            return None
        return shapes.admitted_before(found, session) if found["type"] == "user" else None

    async def inbox(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/inbox``."""
        pending = await self._upstream.read(f"/api/session/{request.path_params['sessionID']}/pending")
        return JSONResponse({"data": [shapes.inbox_item(item) for item in pending]})

    async def change_inbox(self, request: Request) -> Response:
        """Serve ``DELETE`` and ``PATCH`` of an inbox item; the preview can change none, and nothing is a no-op."""
        pending = await self._upstream.read(f"/api/session/{request.path_params['sessionID']}/pending")
        if any(item["id"] == request.path_params["inboxID"] for item in pending):
            return not_presented("taking back or changing what is in the inbox.")
        return Response(status_code=DONE)

    async def interrupt(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/interrupt``; the preview replies when it has cleaned up."""
        if request.query_params.get("resume") == "true":
            return not_presented("going on with the inbox after an interrupt.")
        active = await self._upstream.read("/api/session/active")
        await self._upstream.ask("POST", request.url.path)
        return JSONResponse({"interrupted": request.path_params["sessionID"] in active})

    async def command(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/command``."""
        body = cast("Json", await request.json())
        for name in ("name", "text"):
            if name not in body:
                return failed(400, "InvalidRequestError", f'Missing key\n  at ["{name}"]', kind="Payload")
        sent = {name: body[name] for name in COMMAND_FIELDS if name in body}
        await self._upstream.ask("POST", request.url.path, {"command": body["name"], "arguments": body["text"], **sent})
        return Response(status_code=DONE)

    async def skill(self, request: Request) -> Response:
        """Serve ``POST /api/experimental/session/{sessionID}/skill``."""
        body = cast("Json", await request.json())
        sent = {name: body[name] for name in ("resume",) if name in body}
        path = f"/api/session/{request.path_params['sessionID']}/skill"
        await self._upstream.ask("POST", path, {"skill": body.get("id"), **sent})
        return Response(status_code=DONE)

"""Requests of OpenCode to the person: permissions and forms."""

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.replies import failed
from tests.harness.opencode2.proxy.upstream import Json, Upstream

DONE = 204


class Asks:
    """Serves the routes of permissions and forms that differ."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer_permission(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/permission/{requestID}/reply``."""
        body = cast("Json", await request.json())
        if "decision" not in body:
            return failed(400, "InvalidRequestError", 'Missing key\n  at ["decision"]', kind="Payload")
        body["reply"] = body.pop("decision")
        await self._upstream.ask("POST", request.url.path, body)
        return Response(status_code=DONE)

    async def saved(self, request: Request) -> Response:
        """Serve ``GET /api/permission/saved``: of all projects where none is named, which the preview cannot list."""
        named = request.query_params.get("projectID")
        projects = [named] if named else [item["id"] for item in await self._projects()]
        found: dict[str, Json] = {}
        for project in projects:
            for item in await self._upstream.read("/api/permission/saved", projectID=project):
                found[item["id"]] = shapes.saved_permission(item)
        return JSONResponse({"data": list(found.values())})

    async def _projects(self) -> list[Json]:
        reply = await self._upstream.send("GET", "/api/project")
        return cast("list[Json]", reply.json())

    async def form(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/form/{formID}``."""
        found = await self._upstream.read(request.url.path)
        state = await self._upstream.read(f"{request.url.path}/state")
        return JSONResponse({"data": {**shapes.form(found), "state": state}})

    async def cancel_form(self, request: Request) -> Response:
        """Serve ``DELETE /api/session/{sessionID}/form/{formID}``; the preview takes no message."""
        place = {name: value for name, value in request.query_params.items() if name != "message"}
        await self._upstream.ask("POST", f"{request.url.path}/cancel", params=place)
        return Response(status_code=DONE)

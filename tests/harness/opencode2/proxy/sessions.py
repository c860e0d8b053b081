"""Sessions: made, read, listed, changed, forked, reverted."""

import json
import time
from collections import defaultdict
from collections.abc import Container, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.ends import End, Ends
from tests.harness.opencode2.proxy.event_shapes import ENDS
from tests.harness.opencode2.proxy.places import is_usable
from tests.harness.opencode2.proxy.replies import failed, no_location, not_presented
from tests.harness.opencode2.proxy.upstream import Json, Refused, Upstream

KNOWN_AT_CREATION = ("id", "agent", "model", "location")
"""Fields that the preview takes when it makes a session."""
KEPT_HERE = ("metadata", "permissions")
"""Fields that the proxy keeps in a file; the engine does not enforce the permission rules."""
DONE = 204


class Sessions:
    """Serves the routes of sessions themselves.

    Args:
        upstream: The engine.
        ends: Knows how executions ended.
        titles: Titles that sessions were given.
        file: File for the fields that the engine does not know: they outlive the process, as in the released version.
    """

    def __init__(self, upstream: Upstream, ends: Ends, titles: dict[str, str], file: Path) -> None:
        self._upstream = upstream
        self._ends = ends
        self._titles = titles
        self._file = file
        self._kept = defaultdict[str, Json](dict)
        if file.exists():
            self._kept |= json.loads(file.read_text(encoding="utf-8"))

    def _keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._kept), encoding="utf-8")
        fresh.replace(self._file)

    async def create(self, request: Request) -> Response:
        """Serve ``POST /api/session``."""
        body = cast("Json", await request.json())
        if body.get("parentID"):
            return not_presented("a session with a parent.")
        directory = str(cast("Json", body.get("location") or {}).get("directory", ""))
        if directory and not is_usable(directory):
            return no_location(directory)
        made = await self._upstream.ask("POST", "/api/session", _only(body, KNOWN_AT_CREATION))
        session = str(made["data"]["id"])
        self._kept[session] |= _only(body, KEPT_HERE)
        self._keep()
        if body.get("title"):
            await self._rename(session, body["title"])
        return JSONResponse({"data": await self._session(session)})

    async def get(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}``."""
        return JSONResponse({"data": await self._session(request.path_params["sessionID"])})

    async def list(self, request: Request) -> Response:
        """Serve ``GET /api/session``."""
        # A list asks about the ends of each of its sessions, a tenth of a second each.
        active = await self._upstream.read("/api/session/active")
        reply = await self._upstream.ask("GET", "/api/session", params=request.query_params)
        found = [await self._presented(info, await self._listed_ends(info["id"], active)) for info in reply["data"]]
        archived = request.query_params.get("archived") == "true"
        reply["data"] = [info for info in found if archived or "archived" not in info["time"]]
        return JSONResponse(reply)

    async def _listed_ends(self, session: str, active: Container[str]) -> Sequence[End]:
        """Return the ends of a session in a list; none of one whose directory is gone, which the engine cannot open."""
        try:
            return await self._ends.at_rest(session, active)
        except Refused as refused:
            if refused.reply.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return []

    async def update(self, request: Request) -> Response:
        """Serve ``PATCH /api/session/{sessionID}``."""
        session, body = request.path_params["sessionID"], cast("Json", await request.json())
        await self._upstream.read(f"/api/session/{session}")
        if body.get("title") is not None:
            await self._rename(session, body["title"])
        self._kept[session] |= _only(body, KEPT_HERE)
        if "archived" in body:
            self._kept[session]["archived"] = time.time() * 1000 if body["archived"] else None
        self._keep()
        return Response(status_code=DONE)

    async def remove(self, request: Request) -> Response:
        """Serve ``DELETE /api/session/{sessionID}``."""
        session = request.path_params["sessionID"]
        await self._upstream.ask("DELETE", f"/api/session/{session}")
        self._kept.pop(session, None)
        self._keep()
        self._titles.pop(session, None)
        return Response(status_code=DONE)

    async def fork(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/fork``."""
        text = await request.body()
        before = json.loads(text).get("before") if text else None
        made = await self._upstream.ask("POST", request.url.path, {"messageID": before} if before else {})
        info = made["data"]
        return JSONResponse({"data": await self._presented(info, await self._ends.of(info["id"]))})

    async def clear_revert(self, request: Request) -> Response:
        """Serve ``DELETE /api/session/{sessionID}/revert``."""
        await self._upstream.ask("POST", f"{request.url.path}/clear")
        return Response(status_code=DONE)

    async def view(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/view``."""
        session, body = request.path_params["sessionID"], cast("Json", await request.json())
        info = await self._session(session)
        if body.get("idle") is None:
            return failed(400, "InvalidRequestError", 'Missing key\n  at ["idle"]', kind="Payload")
        if body["idle"] == info["time"].get("idle"):
            self._kept[session]["viewed"] = body["idle"]
            self._keep()
        return Response(status_code=DONE)

    async def _rename(self, session: str, title: str) -> None:
        self._titles[session] = title
        await self._upstream.ask("POST", f"/api/session/{session}/rename", {"title": title})

    async def _session(self, session: str) -> Json:
        info = await self._upstream.read(f"/api/session/{session}")
        return await self._presented(info, await self._ends.of(session))

    async def _presented(self, info: Json, ends: Sequence[End]) -> Json:
        """Add what only the released server knows: how the last execution ended, and what the proxy keeps."""
        session, kept = info["id"], self._kept[info["id"]]
        if ends:
            info["outcome"] = ENDS[ends[-1].event["type"]]
            info["time"]["idle"] = ends[-1].event["created"]
        given = self._titles.get(session)
        if given is not None and info["title"] != given:
            # The preview asks a model for a title at the first prompt, also if the session has one.
            await self._rename(session, given)
            info["title"] = given
        info |= _only(kept, KEPT_HERE)
        info["time"] |= {name: kept[name] for name in ("archived", "viewed") if kept.get(name)}
        return shapes.session(info)


def _only(body: Json, names: tuple[str, ...]) -> Json:
    return {name: body[name] for name in names if name in body}

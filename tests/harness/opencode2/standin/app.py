"""The stand-in as an application, and as a server in a test."""

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import anyio
import uvicorn
from anyio.streams.memory import MemoryObjectSendStream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.harness.opencode2.proxy.access import Access
from tests.harness.opencode2.proxy.app import EVERY_METHOD
from tests.harness.opencode2.proxy.events import HEADERS, connected, written
from tests.harness.opencode2.proxy.places import directory_of
from tests.harness.opencode2.proxy.reads import VERSION
from tests.harness.opencode2.proxy.replies import failed, unknown_route
from tests.harness.opencode2.standin.state import GIVEN, Json, Session, State, now
from tests.harness.opencode2.switches import Switches

DONE = 204
QUEUE = 4096
"""Events that a listener may be behind before its stream ends."""
CHANGED_BY_UPDATE = ("title", "metadata", "permissions")
PASSWORD = "stand-in"
LISTS: Mapping[str, list[Json]] = {
    "/api/agent": [{"id": "build", "name": "build", "mode": "primary", "hidden": False, "permissions": []}],
    "/api/model": [{"id": "m1", "modelID": "m1", "providerID": "stand-in", "name": "M1", "variants": []}],
    "/api/form": [],
    "/api/shell": [],
    "/api/session/{sessionID}/diff": [],
}
"""Lists that are always the same."""


@dataclass(slots=True)
class StandIn:
    """A running stand-in, and the controls for a test."""

    state: State = field(default_factory=State)
    switches: Switches = field(default_factory=Switches)
    scripted: dict[tuple[str, str], Response] = field(default_factory=dict[tuple[str, str], Response])
    """Replies for a method and path that a test has written itself; they come before the stand-in's own."""
    listeners: list[MemoryObjectSendStream[Json]] = field(default_factory=list[MemoryObjectSendStream[Json]])
    url: str = ""
    password: str = PASSWORD

    def publish(self, kind: str, data: Json) -> None:
        """Send an event to every listener; one that is too far behind loses its stream."""
        event: Json = {"id": f"evt_{self.state.identifier()}", "created": now(), "type": kind, "data": data}
        for listener in list(self.listeners):
            try:
                listener.send_nowait(event)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self.listeners.remove(listener)
                listener.close()

    def close(self) -> None:
        """End every stream."""
        while self.listeners:
            self.listeners.pop().close()


async def _listed(items: list[Json], _request: Request) -> Response:
    return JSONResponse({"data": items})


class Routes:
    """The handlers of the stand-in."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._state = standin.state

    def _session(self, request: Request) -> Session | None:
        return self._state.sessions.get(request.path_params["sessionID"])

    async def info(self, _request: Request) -> Response:
        """Serve ``GET /api/info``."""
        return JSONResponse({"version": VERSION, "pid": 1, "urls": [self._standin.url], "paths": {"tmp": "/tmp"}})  # noqa: S108

    async def events(self, _request: Request) -> Response:
        """Serve ``GET /api/event``."""
        send, receive = anyio.create_memory_object_stream[Json](QUEUE)
        self._standin.listeners.append(send)

        async def body() -> AsyncIterator[str]:
            yield written(connected())
            async with receive:
                async for event in receive:
                    yield written(event)

        return StreamingResponse(body(), media_type="text/event-stream", headers=HEADERS)

    async def create(self, request: Request) -> Response:
        """Serve ``POST /api/session``."""
        session = self._state.create(cast("Json", await request.json()), directory_of(request))
        shown = {name: session.info[name] for name in ("projectID", "location", *GIVEN) if name in session.info}
        self._standin.publish(
            "session.created",
            {"sessionID": session.info["id"], "slug": "stand-in", "version": VERSION, **shown},
        )
        return JSONResponse({"data": session.info})

    async def session(self, request: Request) -> Response:
        """Serve ``GET`` and ``PATCH /api/session/{sessionID}``."""
        session = self._session(request)
        if session is None:
            return _no_session(request)
        if request.method == "GET":
            return JSONResponse({"data": session.info})
        body = cast("Json", await request.json())
        session.info |= {name: body[name] for name in CHANGED_BY_UPDATE if name in body}
        return Response(status_code=DONE)

    async def prompt(self, request: Request) -> Response:
        """Serve ``POST /api/session/{sessionID}/prompt``."""
        session = self._session(request)
        if session is None:
            return _no_session(request)
        return JSONResponse({"data": session.admit(cast("Json", await request.json()), self._state.identifier())})

    async def inbox(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/inbox``."""
        session = self._session(request)
        return _no_session(request) if session is None else JSONResponse({"data": session.inbox})

    async def change_inbox(self, request: Request) -> Response:
        """Serve ``DELETE`` and ``PATCH`` of an inbox item; one that is not there is a no-op."""
        session = self._session(request)
        if session is None:
            return _no_session(request)
        item = session.item(request.path_params["inboxID"])
        if item and request.method == "DELETE":
            session.inbox.remove(item)
        elif item:
            item["delivery"] = (await request.json())["delivery"]
        return Response(status_code=DONE)

    async def permissions(self, request: Request) -> Response:
        """Serve ``GET`` and ``POST /api/session/{sessionID}/permission``; each that is created is asked for."""
        session = self._session(request)
        if session is None:
            return _no_session(request)
        if request.method == "GET":
            return JSONResponse({"data": session.permissions})
        body = cast("Json", await request.json())
        asked = {"id": body.get("id") or f"per_{self._state.identifier()}", "sessionID": session.info["id"]}
        asked |= {name: body[name] for name in ("action", "resources", "save", "metadata", "source") if name in body}
        session.permissions.append(asked)
        self._standin.publish("permission.asked", asked)
        return JSONResponse({"data": {"id": asked["id"], "effect": "ask"}})

    async def sessions(self, request: Request) -> Response:
        """Serve ``GET /api/session``: those with a parent, or without."""
        parent = request.query_params.get("parentID", "null")
        found = [session.info for session in self._state.sessions.values()]
        return JSONResponse({"data": [info for info in found if info.get("parentID", "null") == parent], "cursor": {}})

    async def active(self, _request: Request) -> Response:
        """Serve ``GET /api/session/active``."""
        active = [name for name, session in self._state.sessions.items() if session.is_active]
        return JSONResponse({"data": {name: {"type": "running"} for name in active}})

    async def messages(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/message``, in one page."""
        session = self._session(request)
        if session is None:
            return _no_session(request)
        newest_first = request.query_params.get("order", "desc") == "desc"
        return JSONResponse({"data": session.messages[::-1] if newest_first else session.messages, "cursor": {}})

    async def asked(self, _request: Request) -> Response:
        """Serve ``GET /api/permission/request``."""
        asked = [item for session in self._state.sessions.values() for item in session.permissions]
        return JSONResponse({"data": asked})

    async def reload(self, _request: Request) -> Response:
        """Serve ``POST /api/location/reload``: open requests are gone, and clients get an event."""
        self._state.end_asks()
        self._standin.publish("location.shutdown", {})
        return Response(status_code=DONE)

    async def other(self, request: Request) -> Response:
        """Serve a reply that the test wrote, or what the released server has for unknown routes."""
        scripted = self._standin.scripted.get((request.method, request.url.path))
        return scripted or unknown_route(self._standin.switches)


def _no_session(request: Request) -> Response:
    session = request.path_params["sessionID"]
    return failed(404, "SessionNotFoundError", f"Session not found: {session}", sessionID=session)


def _app(standin: StandIn) -> Access:
    routes, session = Routes(standin), "/api/session/{sessionID}"
    scripted = [Route(path, routes.other, methods=[method]) for method, path in standin.scripted]
    table = [
        Route("/api/session", routes.sessions),
        Route("/api/session/active", routes.active),
        Route(f"{session}/message", routes.messages),
        Route("/api/permission/request", routes.asked),
        *(Route(path, partial(_listed, items)) for path, items in LISTS.items()),
        Route("/api/info", routes.info),
        Route("/api/event", routes.events),
        Route("/api/location/reload", routes.reload, methods=["POST"]),
        Route("/api/session", routes.create, methods=["POST"]),
        Route(session, routes.session, methods=["GET", "PATCH"]),
        Route(f"{session}/prompt", routes.prompt, methods=["POST"]),
        Route(f"{session}/inbox", routes.inbox),
        Route(f"{session}/inbox/{{inboxID}}", routes.change_inbox, methods=["DELETE", "PATCH"]),
        Route(f"{session}/permission", routes.permissions, methods=["GET", "POST"]),
        Route("/{path:path}", routes.other, methods=EVERY_METHOD),
    ]
    return Access(Starlette(routes=[*scripted, *table]), standin.password, standin.switches)


@asynccontextmanager
async def running_standin(scripted: dict[tuple[str, str], Response] | None = None) -> AsyncGenerator[StandIn]:
    """Serve a stand-in on a free port of loopback until the block ends.

    Args:
        scripted: Replies by method and path that come before its own.
    """
    standin = StandIn(scripted=scripted or {})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        standin.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(_app(standin), log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            try:
                yield standin
            finally:
                standin.close()
                server.should_exit = True

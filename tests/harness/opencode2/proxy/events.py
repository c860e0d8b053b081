"""The streams of events: the live one of all directories, and the durable log of a session."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.harness.opencode2.proxy.event_shapes import translate
from tests.harness.opencode2.proxy.upstream import Json, Upstream, event_in
from tests.harness.opencode2.switches import Switches

HEADERS = {"Cache-Control": "no-cache, no-transform"}
HEARTBEAT = ": heartbeat\n\n"


class Events:
    """The streams. Each has its own connection to the engine, and ends with it."""

    def __init__(self, upstream: Upstream, switches: Switches, titles: Mapping[str, str]) -> None:
        self._upstream = upstream
        self._switches = switches
        self._titles = titles

    async def live(self, _request: Request) -> Response:
        """Serve ``GET /api/event``."""
        return StreamingResponse(self._live(), media_type="text/event-stream", headers=HEADERS)

    async def _live(self) -> AsyncIterator[str]:
        # A stream that breaks here ends there, without an error of the proxy's own.
        with suppress(httpx.HTTPError):
            async with self._upstream.stream("/api/event") as lines:
                async for line in lines:
                    event = event_in(line)
                    if event is None:
                        if line.startswith(":"):
                            yield HEARTBEAT
                    elif event["type"] == "server.connected":
                        yield written(connected())
                        yield HEARTBEAT
                    else:
                        self._upstream.changed.add(event["data"].get("sessionID", ""))
                        for translated in self._translate(event):
                            yield written(translated)

    async def log(self, request: Request) -> Response:
        """Serve ``GET /api/experimental/session/{sessionID}/log``."""
        opened = self._upstream.stream(request.url.path, request.query_params)
        lines = await opened.__aenter__()

        async def body() -> AsyncIterator[str]:
            try:
                with suppress(httpx.HTTPError):
                    async for line in lines:
                        event = event_in(line)
                        for translated in self._translate(event) if event else ():
                            yield written(translated)
            finally:
                await opened.__aexit__(None, None, None)

        return StreamingResponse(body(), media_type="text/event-stream", headers=HEADERS)

    def _translate(self, event: Json) -> list[Json]:
        return [] if self._is_unwanted_title(event) else translate(event, user_rejects=self._switches.user_rejects)

    def _is_unwanted_title(self, event: Json) -> bool:
        """Return whether the preview gives a session another title than the one that a client gave it."""
        if event["type"] != "session.renamed":
            return False
        given = self._titles.get(event["data"]["sessionID"])
        return given is not None and event["data"]["title"] != given


def connected() -> Json:
    """The event that opens a stream."""
    return {"id": f"evt_{time.time_ns():x}", "type": "server.connected", "data": {}}


def written(event: Json) -> str:
    """Write an event as a stream carries it."""
    return f"data: {json.dumps(event)}\n\n"

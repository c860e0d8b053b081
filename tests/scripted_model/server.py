"""The scripted model over HTTP: chat completions for OpenCode, and the hold points and records for tests.

Beside ``POST /v1/chat/completions`` it answers ``POST /release/{name}`` (open a hold point), ``GET /reached/{name}``
(answers once the model has reached it), ``DELETE /holds`` (open all, and forget them) and ``GET /requests?session=``
(what the model was asked, newest last).
"""

from collections import Counter, deque
from dataclasses import asdict
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.scripted_model.actions import Failure, Step
from tests.scripted_model.conversation import Asked, answer, read
from tests.scripted_model.script import ScriptError
from tests.scripted_model.stream import Gates, pause, play

REMEMBERED = 500
"""Requests kept for tests to look at."""


class ScriptedModel:
    """The server's state: its hold points, what it was asked, and how often each step was tried."""

    def __init__(self) -> None:
        self._gates = Gates()
        self._asked = deque[Asked](maxlen=REMEMBERED)
        self._attempts = Counter[tuple[str, int, int]]()

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/release/{name}", self._release, methods=["POST"]),
                Route("/reached/{name}", self._reached),
                Route("/holds", self._forget_holds, methods=["DELETE"]),
                Route("/requests", self._requests),
            ]
        )

    async def _complete(self, request: Request) -> Response:
        body = cast("dict[str, Any]", await request.json())
        asked = read(body, request.headers.get("x-session-id", ""))
        self._asked.append(asked)
        try:
            step = answer(asked)
        except ScriptError as error:
            return _refuse(Failure(400, str(error)))
        attempt = self._count(asked)
        failure = await self._fails(step, attempt)
        if failure:
            return _refuse(failure)
        return StreamingResponse(play(step, asked.model, self._gates, attempt), media_type="text/event-stream")

    def _count(self, asked: Asked) -> int:
        """Count the requests for this step; OpenCode's title request runs beside the first step."""
        if asked.kind == "title":
            return 1
        key = (asked.session, asked.turn, asked.step)
        self._attempts[key] += 1
        return self._attempts[key]

    async def _fails(self, step: Step, attempt: int) -> Failure | None:
        """Find the failure that opens a step, and do what comes before it."""
        place = next((place for place, action in enumerate(step) if isinstance(action, Failure)), None)
        if place is None:
            return None
        failure = cast("Failure", step[place])
        if failure.times and attempt > failure.times:
            return None
        for action in step[:place]:
            await pause(action, self._gates, attempt)
        return failure

    async def _release(self, request: Request) -> Response:
        self._gates.release(request.path_params["name"])
        return Response(status_code=204)

    async def _reached(self, request: Request) -> Response:
        await self._gates.reached(request.path_params["name"])
        return Response(status_code=204)

    async def _forget_holds(self, _request: Request) -> Response:
        self._gates.forget()
        return Response(status_code=204)

    async def _requests(self, request: Request) -> Response:
        session = request.query_params.get("session", "")
        return JSONResponse([asdict(asked) for asked in self._asked if session in ("", asked.session)])


def _refuse(failure: Failure) -> JSONResponse:
    error = {"message": failure.message, "type": "scripted", "code": failure.code or None}
    return JSONResponse({"error": error}, failure.status, dict(failure.headers))

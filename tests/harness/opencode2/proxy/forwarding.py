"""Requests that go to the engine as they are, with the reply in the released shape."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.replies import failed, not_presented, passed
from tests.harness.opencode2.proxy.upstream import Json, Upstream

Handler = Callable[[Request], Awaitable[Response]]
PASSED_ON = ("content-type", "x-opencode-directory", "x-opencode-ticket")
SHELL_LIMIT = 120_000
"""Milliseconds that a shell command may take if the request has no limit; the preview requires one."""


def _each(change: Callable[[Json], Json]) -> Callable[[Any], object]:
    """Reshape the items of a list."""
    return lambda found: [change(item) for item in cast("list[Json]", found)]


INTEGRATION = "GET /api/integration/{integrationID}"
SHAPED: Mapping[str, Callable[[Any], object]] = {
    "GET /api/command": _each(shapes.command),
    "GET /api/form": _each(shapes.form),
    "GET /api/integration": _each(shapes.integration),
    INTEGRATION: shapes.integration,
    "GET /api/location": shapes.location,
    "GET /api/permission/request": _each(shapes.permission),
    "GET /api/plugin": _each(shapes.plugin),
    "GET /api/project": _each(shapes.project),
    "GET /api/provider": _each(shapes.provider),
    "GET /api/provider/{providerID}": shapes.provider,
    "GET /api/session/{sessionID}/context": _each(shapes.message),
    "GET /api/session/{sessionID}/form": _each(shapes.form),
    "GET /api/session/{sessionID}/permission": _each(shapes.permission),
    "GET /api/session/{sessionID}/permission/{requestID}": shapes.permission,
    "GET /api/skill": _each(shapes.skill),
}
"""Converts a reply, or its ``data`` where it has one."""
WHOLE = frozenset({"GET /api/location", "GET /api/project"})
"""Replies without ``data``."""


class Forwarding:
    """Makes the handlers of operations that the preview has."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def handler(self, operation: str, path: str) -> Handler:
        """Make the handler of an operation of the contract.

        Args:
            operation: Its method and path.
            path: The preview's path for it, with the same names in braces.
        """

        async def forward(request: Request) -> Response:
            reply = await self._upstream.send(
                request.method,
                path.format_map({name: quote(value, safe="") for name, value in request.path_params.items()}),
                params=request.query_params,
                content=_body(operation, await request.body()),
                headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
            )
            if not reply.headers.get("content-type", "").startswith("application/json"):
                return passed(reply)
            found = reply.json()
            if operation == INTEGRATION and found["data"] is None:
                # The preview knows no such error.
                name = request.path_params["integrationID"]
                return failed(404, "IntegrationNotFoundError", f"Integration not found: {name}", integrationID=name)
            return JSONResponse(_shaped(operation, found))

        return forward


def absent(operation: str) -> Handler:
    """Make the handler of an operation that the preview does not have."""

    async def refuse(_request: Request) -> Response:
        return not_presented(f"{operation}.")

    return refuse


def _body(operation: str, content: bytes) -> bytes:
    change = SENT.get(operation)
    return json.dumps(change(json.loads(content))).encode() if change and content else content


def _location_shell(body: Json) -> Json:
    return {"timeout": SHELL_LIMIT, **body}


def _session_shell(body: Json) -> Json:
    """A user's shell command; its message is an event to the preview."""
    return {**body, "id": str(body["id"]).replace("msg_", "evt_", 1)} if body.get("id") else body


SENT: Mapping[str, Callable[[Json], Json]] = {
    "POST /api/session/{sessionID}/shell": _session_shell,
    "POST /api/shell": _location_shell,
}
"""Converts the body of a request."""


def _shaped(operation: str, reply: Any) -> object:  # noqa: ANN401 - JSON of any shape
    change = SHAPED.get(operation)
    if operation in WHOLE:
        return change(reply) if change else reply
    if isinstance(reply, dict):
        holder = shapes.place(cast("Json", reply))
        if change:
            holder["data"] = change(holder["data"])
        return holder
    return reply

"""Requests of the proxy to the engine behind it."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from starlette.requests import Request

from tests.harness.servers.http import loopback_client

Json = dict[str, Any]
LONGEST = 3600.0
"""Seconds that a request may take: waiting for a session has no limit of its own."""
OF_SESSION = re.compile(r"/api/(?:experimental/)?session/(ses_\w+)")
"""Matches the beginning of the path of an operation on one session."""


class Refused(Exception):
    """The engine answered with something else than success; its reply goes to the caller."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__(f"{reply.request.method} {reply.request.url.path}: {reply.status_code}")
        self.reply = reply


class Upstream:
    """The engine, asked in its own dialect."""

    def __init__(self, url: str, password: str) -> None:
        self._http = loopback_client(url, auth=("opencode", password), timeout=LONGEST)
        self.changed = set[str]()
        """Sessions that have had a request or an event since they were taken out of here."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request as it is, and return the reply to it.

        Raises:
            Refused: The engine refuses it.
        """
        session = OF_SESSION.match(path) if method != "GET" else None
        touched = {session[1]} if session else set[str]()
        self.changed |= touched
        try:
            reply = await self._http.request(method, path, params=params, content=content, headers=headers)
        finally:
            self.changed |= touched
        if not reply.is_success:
            raise Refused(reply)
        return reply

    async def ask(
        self, method: str, path: str, body: Json | None = None, *, params: Mapping[str, str] | None = None
    ) -> Json:
        """Send JSON and read JSON; an empty reply is empty.

        Raises:
            Refused: The engine refuses it.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else None
        reply = await self.send(method, path, params=params, content=content, headers=headers)
        return cast("Json", reply.json()) if reply.content else {}

    async def read(self, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read what a reply carries as ``data``.

        Raises:
            Refused: The engine refuses it.
        """
        return (await self.ask("GET", path, params=params))["data"]

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str] | None = None) -> AsyncGenerator[AsyncIterator[str]]:
        """Open a stream of events, and give its lines.

        Raises:
            Refused: The engine refuses it.
        """
        async with self._http.stream("GET", path, params=params) as reply:
            if not reply.is_success:
                await reply.aread()
                raise Refused(reply)
            yield _lines(reply)


async def _lines(reply: httpx.Response) -> AsyncIterator[str]:
    """Give the lines of a stream. Only a line feed ends one: the JSON in it may hold other ends of lines."""
    rest = ""
    async for text in reply.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    if rest:
        yield rest


def raw_path(request: Request) -> str:
    """Read the path of a request as it was sent, with what is encoded in it."""
    return cast("bytes", request.scope["raw_path"]).decode("ascii")


def event_in(line: str) -> Json | None:
    """Read the event in a line of a stream; None where the line carries none."""
    return cast("Json", json.loads(line.removeprefix("data:"))) if line.startswith("data:") else None

"""A server of OpenCode 2's messages and sessions in memory: for failures and long lists that are costly otherwise."""

import json
from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from anyio.lowlevel import checkpoint

from opencode_mcp.opencode.http_client.clock import Clock
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Body
from opencode_mcp.opencode.v2.adapter import OpenCode2
from opencode_mcp.opencode.v2.table import TABLE
from opencode_mcp.opencode.versions import Generation


@dataclass
class StoredServer:
    """Sends pages of what is stored, newest first.

    ``failures`` are raised one after another for each prompt, ``list_failures`` for each list of sessions.
    """

    messages: Sequence[Mapping[str, object]] = ()
    sessions: Sequence[Mapping[str, object]] = ()
    failures: list[Exception] = field(default_factory=list[Exception])
    list_failures: list[Exception] = field(default_factory=list[Exception])
    lists: dict[str, list[dict[str, object]]] = field(default_factory=dict[str, list[dict[str, object]]])
    """Lists of a directory by the ends of their paths, such as ``agent``; any other is empty."""
    endless: bool = False
    """True if every page leads to another one."""
    requests: list[HttpRequest] = field(default_factory=list[HttpRequest])
    clock: Clock = field(default_factory=Clock)
    directory_lists: MutableMapping[str, DirectoryLists] = field(default_factory=dict[str, DirectoryLists])

    def calls(self) -> OpenCode2:
        """Return the bridge's calls of this server."""
        return OpenCode2(self, TABLE)

    async def generation(self) -> Generation:
        """Return 2."""
        await checkpoint()
        return 2

    async def send(self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True) -> Reply:
        """Answer a request."""
        del timeout, queued
        await checkpoint()
        self.requests.append(request)
        if request.path.endswith("/prompt") and self.failures:
            raise self.failures.pop(0)
        if request.path == "/api/session" and self.list_failures:
            raise self.list_failures.pop(0)
        body = self._reply(request)
        return Reply(status=200, headers={"content-type": "application/json"}, body=json.dumps(body).encode())

    def _reply(self, request: HttpRequest) -> dict[str, object]:
        """Return a page of messages or of sessions, one message, or an object without content."""
        if request.path.endswith("/message"):
            return self._page(request, list(reversed(self.messages)))
        if request.path == "/api/session":
            return self._page(request, self.sessions)
        if "location[directory]" in request.query:
            return {"data": self.lists.get(request.path.rpartition("/")[2], [])}
        name = request.path.rpartition("/message/")[2]
        found = next((message for message in self.messages if message["id"] == name), None)
        return {"data": found or {}}

    def _page(self, request: HttpRequest, newest_first: Sequence[Mapping[str, object]]) -> dict[str, object]:
        query = dict(request.query)
        begin, limit = int(query.get("cursor") or 0), int(query["limit"])
        if self.endless:
            return {"data": list(newest_first[:1]) * limit, "cursor": {"next": "0"}}
        return {"data": newest_first[begin : begin + limit], "cursor": {"next": str(begin + limit)}}

    def stream(
        self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> AbstractAsyncContextManager[Body]:
        """Refuse: it has no files."""
        raise NotImplementedError

    def events(self, request: HttpRequest, *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Refuse: it sends no events."""
        raise NotImplementedError

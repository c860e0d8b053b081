"""The messages of a session, with the ``idle`` ones among them."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.ends import End, Ends
from tests.harness.opencode2.proxy.pages import page
from tests.harness.opencode2.proxy.upstream import Json, Upstream

UNNAMED = frozenset({"shell", "compaction"})
"""Types of messages whose ids are not in the log."""


class Messages:
    """Reads messages."""

    def __init__(self, upstream: Upstream, ends: Ends) -> None:
        self._upstream = upstream
        self._ends = ends

    async def all(self, session: str) -> list[Json]:
        """List all messages of a session, oldest first.

        Raises:
            Refused: There is no such session.
        """
        # The ends are read first: once an end is shown, the messages before it are complete.
        ends = await self._ends.of(session)
        return with_ends([shapes.message(item) for item in await self._read_all(session)], ends)

    async def _read_all(self, session: str) -> list[Json]:
        path = f"/api/session/{session}/message"
        found: list[Json] = []
        asked = {"order": "asc"}
        while True:
            reply = await self._upstream.ask("GET", path, params={"limit": "200", **asked})
            if not reply["data"]:
                return found
            found += reply["data"]
            asked = {"cursor": reply["cursor"]["next"]}

    async def list(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/message``."""
        found = await self.all(request.path_params["sessionID"])
        kind = request.query_params.get("type")
        return JSONResponse(page([item for item in found if kind in (None, item["type"])], request.query_params))

    async def get(self, request: Request) -> Response:
        """Serve ``GET /api/session/{sessionID}/message/{messageID}``."""
        session, wanted = request.path_params["sessionID"], request.path_params["messageID"]
        for end in await self._ends.of(session):
            if end.message()["id"] == wanted:
                return JSONResponse({"data": end.message()})
        found = await self._upstream.read(request.url.path)
        return JSONResponse({"data": shapes.message(found)})


def with_ends(found: Sequence[Json], ends: Sequence[End]) -> list[Json]:
    """Put an ``idle`` message behind the message that was the last one at each end.

    An end whose message is gone, as after a revert, is left out.
    """
    behind: dict[int, list[Json]] = {}
    places = {"": -1} | {item["id"]: place for place, item in enumerate(found)}
    for end in ends:
        if end.after in places:
            behind.setdefault(_place(found, places[end.after], end), []).append(end.message())
    mixed = behind.get(-1, [])
    for place, item in enumerate(found):
        mixed += [item, *behind.get(place, [])]
    return mixed


def _place(found: Sequence[Json], place: int, end: End) -> int:
    """Return the place of the last message before an end, as far as the log names no messages of some types."""
    while place + 1 < len(found) and found[place + 1]["type"] in UNNAMED:
        if found[place + 1]["time"]["created"] > end.event["created"]:
            break
        place += 1
    return place

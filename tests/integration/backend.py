"""OpenCode as a test sees it beside the bridge: over plain HTTP."""

from pathlib import Path
from typing import Any, cast

import httpx

from tests.harness.opencode import OpenCode
from tests.harness.waiting import eventually

Json = dict[str, Any]


class Backend:
    """OpenCode in one project.

    Args:
        http: Bound to the project's directory.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read JSON."""
        return (await self.http.get(path)).raise_for_status().json()

    async def post(self, path: str, body: Json | None = None) -> None:
        """Post, and hold OpenCode to success."""
        (await self.http.post(path, json=body or {})).raise_for_status()

    async def prompts(self, session_id: str) -> int:
        """How many prompts a session was given."""
        messages = cast("list[Json]", await self.get(f"/session/{session_id}/message"))
        return sum(_is_prompt(message) for message in messages)

    async def said(self, session_id: str) -> str:
        """The last words of a session."""
        messages = cast("list[Json]", await self.get(f"/session/{session_id}/message"))
        texts = [part["text"] for message in messages for part in message["parts"] if part["type"] == "text"]
        return str(texts[-1])

    async def asked(self, session_id: str, kind: str = "permission") -> Json:
        """Wait for a permission or a question of a session."""

        async def look() -> Json | None:
            found = cast("list[Json]", await self.get(f"/{kind}"))
            return next((request for request in found if request["sessionID"] == session_id), None)

        return cast("Json", await eventually(look))

    async def open_ids(self, kind: str = "permission") -> list[str]:
        """The open requests of the project."""
        return [request["id"] for request in cast("list[Json]", await self.get(f"/{kind}"))]

    async def idle(self, session_id: str) -> None:
        """Wait until a session works on nothing."""

        async def look() -> bool:
            return session_id not in await self.get("/session/status")

        await eventually(look)


def _is_prompt(message: Json) -> bool:
    written = [part for part in message["parts"] if part["type"] == "text" and not part.get("synthetic")]
    return message["info"]["role"] == "user" and bool(written)


def backend(server: OpenCode, project: Path) -> Backend:
    """Reach an OpenCode in a project; the caller closes ``http``."""
    return Backend(server.client(project))

"""The inbox of a session of OpenCode 2: the prompts that it has accepted and not begun.

An idle session can have prompts in its inbox: an interrupt leaves those there that were not begun, and so do a killed
server and an execution that fails before it begins. OpenCode begins them together with the next prompt.

A slash command gets a prompt whose id OpenCode chooses and does not return, so it is searched for.
"""

from http import HTTPStatus

import anyio

from opencode_mcp.errors import BackendFailed, NotFound
from opencode_mcp.opencode.v2.calls.data_caller import DataCaller
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps

PROMPT = "user"
"""Type of a message, and of an entry of the inbox, that a person wrote."""
LATEST = 20
"""Messages among which a new prompt is searched for."""
SEARCH_SECONDS = 5.0
"""Most seconds within which a command's prompt must be there; it usually is when the call returns."""
SEARCH_INTERVAL_SECONDS = 0.05


class SessionInbox(DataCaller):
    """Calls that concern prompts which may not have begun."""

    async def pending_prompts(self, session_id: str) -> list[str]:
        """Call ``session.inbox.list``: the ids of the prompts, in the order in which they will begin."""
        return _prompts(await self._inbox(session_id))

    async def withdraw_prompt(self, session_id: str, message_id: str) -> bool:
        """Call ``session.inbox.cancel``; the preview of OpenCode 2 cannot take a prompt back."""
        try:
            await self.call("session.inbox.cancel", path={"sessionID": session_id, "inboxID": message_id})
        except NotFound:
            return False  # OpenCode has just begun it, or another client took it back.
        except BackendFailed as error:
            if error.status != HTTPStatus.NOT_IMPLEMENTED:
                raise
            return False
        return True

    async def _inbox(self, session_id: str) -> list[JsonMap]:
        return as_maps(await self._data("session.inbox.list", path={"sessionID": session_id}))

    async def _empty_inbox(self, session_id: str) -> None:
        for item in await self._inbox(session_id):
            await self.withdraw_prompt(session_id, str(item.get("id")))

    async def _known_prompts(self, session_id: str) -> list[str]:
        """Return the latest prompts of a session, in the order in which it took them, and those of its inbox.

        The inbox is read first: a prompt moves from there to the messages.
        """
        pending = await self.pending_prompts(session_id)
        query = {"limit": LATEST, "order": "desc"}
        reply = as_map(await self.call("message.list", path={"sessionID": session_id}, query=query))
        return list(dict.fromkeys([*reversed(_prompts(as_maps(reply.get("data")))), *pending]))

    async def _new_prompt(self, session_id: str, known: list[str], *, within: float) -> str:
        """Return the first prompt that was not there before; empty if none comes in time."""
        deadline = anyio.current_time() + within
        while True:
            found = [prompt for prompt in await self._known_prompts(session_id) if prompt not in known]
            if found or anyio.current_time() > deadline:
                return found[0] if found else ""
            await anyio.sleep(SEARCH_INTERVAL_SECONDS)


def _prompts(items: list[JsonMap]) -> list[str]:
    return [str(item["id"]) for item in items if item.get("type") == PROMPT and item.get("id")]

"""The two ways to hand a prompt over and have its result: through the bridge, and by requests to OpenCode itself.

Each begins a session of its own unless one is named, with a title, so that OpenCode asks the model for none.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Protocol

import httpx

from benchmarks.world import PLACE, World
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.runs.prompting.message_ids import new_message_id
from tests.harness.bridges.rawrpc import RawClient


class Incomplete(Exception):
    """A run did not complete; the text says what came instead."""


TITLE = "Benchmark"
HandOver = Callable[[str], Coroutine[object, object, str]]
"""Takes a prompt, and returns the id of its session when the result is there."""
LAST_MESSAGES = 5
PATIENCE = 600.0
"""Seconds that a result may take."""


async def through_bridge(bridge: RawClient, prompt: str, **chosen: str) -> str:
    """Call ``opencode_run`` and take its report; what else is chosen are arguments of that tool.

    Raises:
        Incomplete: As it says.
    """
    begun = {} if "session_id" in chosen else {"title": TITLE}
    arguments = {"prompt": prompt, "wait_seconds": PATIENCE, **begun, **chosen}
    number = await bridge.send("tools/call", {"name": "opencode_run", "arguments": arguments})
    reply = await bridge.reply(number, seconds=PATIENCE)
    report = reply.get("result", {}).get("structuredContent", {})
    if report.get("status") != "completed":
        raise Incomplete(reply)
    return report["session_id"]


class Directly(Protocol):
    """Hands a prompt to OpenCode itself, and returns when its answer is there."""

    async def __call__(
        self, http: httpx.AsyncClient, prompt: str, *, model: str = "", directory: str = "", session: str = ""
    ) -> str:
        """Send the prompt, and return the id of its session.

        Args:
            http: Reaches OpenCode.
            prompt: The prompt's text.
            model: As ``provider/model``; empty: the default.
            directory: Another directory than the client's; empty: that.
            session: The session to go on in; empty: a new one.

        Raises:
            Incomplete: As it says.
        """
        ...


def directly(world: World) -> Directly:
    """Return the direct way of the generation in use."""
    return directly_1 if world.generation == 1 else directly_2


async def directly_1(
    http: httpx.AsyncClient, prompt: str, *, model: str = "", directory: str = "", session: str = ""
) -> str:
    """Post the prompt, and take the answer from the reply (``session.prompt``)."""
    where = {"directory": directory} if directory else {}
    if not session:
        created = await http.post("/session", params=where, json={"title": TITLE})
        session = created.raise_for_status().json()["id"]
    provider, _, name = model.partition("/")
    chosen = {"model": {"providerID": provider, "modelID": name}} if model else {}
    body = {"parts": [{"type": "text", "text": prompt}], **chosen}
    reply = await http.post(f"/session/{session}/message", params=where, json=body)
    answer = reply.raise_for_status().json()
    if answer["info"].get("error"):
        raise Incomplete(answer["info"]["error"])
    return session


async def directly_2(
    http: httpx.AsyncClient, prompt: str, *, model: str = "", directory: str = "", session: str = ""
) -> str:
    """Put the prompt into the inbox, wait for the session, and read its last messages."""
    provider, _, name = model.partition("/")
    chosen = {"model": {"providerID": provider, "id": name}} if model else {}
    place = {"directory": directory or http.params[PLACE[2]]}
    if not session:
        created = await http.post("/api/session", json={"title": TITLE, "location": place, **chosen})
        session = created.raise_for_status().json()["data"]["id"]
    body = {"id": new_message_id(), "text": prompt, "delivery": "queue"}
    (await http.post(f"/api/session/{session}/prompt", json=body)).raise_for_status()
    (await http.post(f"/api/experimental/session/{session}/wait")).raise_for_status()
    reply = await http.get(f"/api/session/{session}/message", params={"limit": LAST_MESSAGES, "order": "desc"})
    ends = [message for message in reply.raise_for_status().json()["data"] if message["type"] == "idle"]
    if not ends or ends[0]["outcome"] != "succeeded":
        raise Incomplete(ends)
    return session


DIRECT_REQUESTS: Mapping[Generation, str] = {1: "two direct posts", 2: "four direct requests"}
"""Requests of the direct ways, in words."""

"""The two ways to hand a prompt over and have its result: through the bridge, and by OpenCode's blocking request.

Each begins a session of its own, with a title, so that OpenCode asks the model for none.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from tests.harness.rawrpc import RawClient


class Incomplete(Exception):
    """A run did not complete; the text says what came instead."""


TITLE = "Benchmark"
HandOver = Callable[[str], Coroutine[object, object, None]]
"""Takes a prompt, and returns when its result is there."""
PATIENCE = 600.0
"""Seconds that a result may take."""


async def through_bridge(bridge: RawClient, prompt: str, **chosen: str) -> None:
    """Call ``opencode_run`` and take its report; what else is chosen are arguments of that tool.

    Raises:
        Incomplete: As it says.
    """
    arguments = {"prompt": prompt, "title": TITLE, "wait_seconds": PATIENCE, **chosen}
    number = await bridge.send("tools/call", {"name": "opencode_run", "arguments": arguments})
    reply = await bridge.reply(number, seconds=PATIENCE)
    if reply.get("result", {}).get("structuredContent", {}).get("status") != "completed":
        raise Incomplete(reply)


async def directly(http: httpx.AsyncClient, prompt: str, *, model: str = "", directory: str = "") -> None:
    """Post the prompt and take the answer (``session.prompt``).

    Args:
        http: Reaches OpenCode.
        prompt: The prompt's text.
        model: As ``provider/model``; empty: the default.
        directory: Another directory than the client's; empty: that.

    Raises:
        Incomplete: As it says.
    """
    where = {"directory": directory} if directory else {}
    created = await http.post("/session", params=where, json={"title": TITLE})
    session: dict[str, Any] = created.raise_for_status().json()
    provider, _, name = model.partition("/")
    chosen = {"model": {"providerID": provider, "modelID": name}} if model else {}
    body = {"parts": [{"type": "text", "text": prompt}], **chosen}
    reply = await http.post(f"/session/{session['id']}/message", params=where, json=body)
    answer = reply.raise_for_status().json()
    if answer["info"].get("error"):
        raise Incomplete(answer["info"]["error"])

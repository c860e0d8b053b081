"""Sessions of OpenCode 2 that are working, and their interruption before a server is stopped.

OpenCode 2 records an execution when it begins, and releases it only at an end of its own, such as an interruption. An
execution that ends with its server is resumed by the user's background service at its next start, unattended.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Protocol, cast
from urllib.parse import quote

import anyio

from opencode_mcp.errors import BackendFailed, BridgeError
from opencode_mcp.opencode.codec import Reply, Request, failure
from opencode_mcp.text.json_text import read_json

ACTIVE = "/api/session/active"
POLL_SECONDS = 0.05


class Sender(Protocol):
    """Sender of requests to one server."""

    async def send(self, request: Request, *, timeout: float = ..., queued: bool = True) -> Reply:
        """Send a request and read its whole reply; see ``Transport.send``."""
        ...


async def running_sessions(sender: Sender, *, timeout: float) -> list[str]:
    """Return the ids of the sessions of all directories that this server works on (``session.active``).

    Args:
        sender: Carries the request.
        timeout: Seconds that the answer may take.

    Raises:
        BackendFailed: The answer has another form.
        BridgeError: As the sender and ``codec.failure``.
    """
    reply = await sender.send(Request(method="GET", path=ACTIVE), timeout=timeout, queued=False)
    if reply.status != HTTPStatus.OK:
        raise failure("session.active", reply)
    try:
        found = read_json(reply.body)
    except ValueError as error:
        raise BackendFailed("OpenCode's list of running sessions is not JSON.") from error
    data = cast("Mapping[str, object]", found).get("data") if isinstance(found, Mapping) else None
    if not isinstance(data, Mapping):
        raise BackendFailed("OpenCode sent no list of running sessions.")
    return [str(session_id) for session_id in cast("Mapping[str, object]", data)]


async def interrupt_running_sessions(sender: Sender, *, within: float) -> None:
    """Interrupt all running sessions, and wait until none runs (``session.interrupt``).

    OpenCode answers an interruption before the session has stopped. Faults are ignored: the server is about to be
    stopped, whether or not it answers.

    Args:
        sender: Carries the requests.
        within: Seconds until the wait ends.
    """
    with anyio.move_on_after(within), suppress(BridgeError):
        interrupted = set[str]()
        while running := await running_sessions(sender, timeout=within):
            async with anyio.create_task_group() as tasks:
                for session_id in set(running) - interrupted:
                    tasks.start_soon(_interrupt, sender, session_id, within)
            interrupted.update(running)
            await anyio.sleep(POLL_SECONDS)


async def _interrupt(sender: Sender, session_id: str, timeout: float) -> None:
    path = f"/api/session/{quote(session_id, safe='')}/interrupt"
    with suppress(BridgeError):
        await sender.send(Request(method="POST", path=path), timeout=timeout, queued=False)

"""Detection of the program that answers at an address: OpenCode 1, OpenCode 2, or another one.

OpenCode answers any path that it does not know with status 200 and the page of its web application: version 1 those of
version 2, and the other way round. Therefore only JSON of the right form counts, never the status alone. The generation
that the sender expects is asked for first, so the usual case takes one request.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol, cast

import anyio

from opencode_mcp.errors import BackendFailed, BackendTimeout, NotOpenCode, OperatorError, Unauthorized
from opencode_mcp.opencode.http_client.codec import REFUSED_HINT, HttpRequest, Reply, failure
from opencode_mcp.opencode.versions import (
    Generation,
    check_version,
    is_generation_1,
    preview,
    too_old,
    versions_supported,
)
from opencode_mcp.opencode.vocabulary.wire.server_objects import Health
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.outside_text import one_line

HEALTH = "/global/health"
"""``global.health`` of OpenCode 1."""
INFO = "/api/info"
"""``server.info`` of OpenCode 2."""
PREVIEW_HEALTH = "/api/health"
"""Health of OpenCode 2 before its release. OpenCode 1 has this path too, without a version."""
PATHS = "/path"
"""``path.get``, which OpenCode 1 had before it had ``global.health``."""
LONGEST_PAUSE_SECONDS = 1.0
"""Longest pause between two requests to a server that is starting."""
STARTING_HINT = "Wait a few seconds and call again. If it goes on, look at the output of the server or of its proxy."
Fields = Mapping[str, object]


class Detectable(Protocol):
    """Sender of requests to one server."""

    async def generation(self) -> Generation:
        """Return the generation that the server is expected to have."""
        ...

    async def send(self, request: HttpRequest, *, timeout: float = ..., queued: bool = True) -> Reply:
        """Send a request and read its whole reply; see ``Transport.send``."""
        ...


async def detect(sender: Detectable, *, timeout: float) -> Health:
    """Find out which OpenCode answers, and its version.

    Args:
        sender: Carries the requests.
        timeout: Seconds that each answer may take, and the time that a starting server has to become ready.

    Raises:
        UnsupportedVersion: The version is too old, or a preview of OpenCode 2.
        Unauthorized: The password is wrong.
        NotOpenCode: Another program answers.
        BackendUnavailable: Nothing answers.
        BackendTimeout: No answer came in time, or the server is still starting.
    """
    probes = {1: (_health_1, _health_2), 2: (_health_2, _health_1)}[await sender.generation()]
    for probe in probes:
        if health := await probe(sender, timeout):
            check_version(health.version)
            return health
    await _refuse_preview(sender, timeout)
    raise await _not_opencode(sender, timeout)


async def _health_1(sender: Detectable, timeout: float) -> Health | None:
    found = _fields(await _ask(sender, HEALTH, timeout))
    version = found.get("version")
    if found.get("healthy") is not True or not isinstance(version, str):
        return None
    return Health(healthy=True, version=version, generation=1)


async def _health_2(sender: Detectable, timeout: float) -> Health | None:
    version, pid = _version_with_pid(await _ask(sender, INFO, timeout)) or ("", 0)
    # A later OpenCode 1 may also get this path.
    if not pid or is_generation_1(version):
        return None
    return Health(healthy=True, version=version, generation=2, pid=pid)


async def _refuse_preview(sender: Detectable, timeout: float) -> None:
    if found := _version_with_pid(await _ask(sender, PREVIEW_HEALTH, timeout)):
        raise preview(found[0])


async def _not_opencode(sender: Detectable, timeout: float) -> OperatorError:
    """Return the error for a server that neither generation's health describes."""
    reply = await _ask(sender, PATHS, timeout)
    if {"directory", "worktree"} <= _fields(reply).keys():
        return too_old()
    hint = (
        f"It answers GET {PATHS} with {_described(reply)}. "
        f"Check the URL and its port. opencode-mcp supports OpenCode {versions_supported()}."
    )
    return NotOpenCode("The program that answers is not an OpenCode server.", hint=hint)


async def _ask(sender: Detectable, path: str, timeout: float) -> Reply | None:
    """Read a path; wait while the server says that it is starting.

    Returns:
        The reply; ``None`` if it cannot be read as HTTP or is far too large.
    """
    deadline = anyio.current_time() + timeout
    pause = LONGEST_PAUSE_SECONDS / 8
    try:
        while (reply := await _send(sender, path, timeout)).status == HTTPStatus.SERVICE_UNAVAILABLE:
            if anyio.current_time() + pause > deadline:
                text = f"OpenCode is still starting: it has answered status 503 for {timeout:g} s."
                raise BackendTimeout(text, hint=STARTING_HINT)
            await anyio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
    except BackendFailed:
        return None
    return reply


async def _send(sender: Detectable, path: str, timeout: float) -> Reply:
    reply = await sender.send(HttpRequest(method="GET", path=path), timeout=timeout, queued=False)
    if reply.status == HTTPStatus.UNAUTHORIZED:
        raise Unauthorized("OpenCode refused the password.", hint=REFUSED_HINT)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        error = failure(path, reply)
        # OpenCode 1 reports a configuration file that it cannot read in place of every answer.
        if isinstance(error, OperatorError):
            raise error
    return reply


def _version_with_pid(reply: Reply | None) -> tuple[str, int] | None:
    """Return the version and the process id of the server, if a reply has both."""
    found = _fields(reply)
    version, pid = found.get("version"), found.get("pid")
    return (version, pid) if isinstance(version, str) and isinstance(pid, int) else None


def _fields(reply: Reply | None) -> Fields:
    """Return the JSON object that a reply contains; empty for every other reply."""
    if reply is None or reply.status != HTTPStatus.OK or reply.media_type != "application/json":
        return {}
    try:
        value = read_json(reply.body)
    except ValueError:
        return {}
    return cast("Fields", value) if isinstance(value, Mapping) else {}


def _described(reply: Reply | None) -> str:
    if reply is None:
        return "something that is not HTTP"
    return f"status {reply.status} and {one_line(reply.media_type, 100) or 'no content type'}"

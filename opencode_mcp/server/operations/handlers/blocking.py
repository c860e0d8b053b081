"""Handlers of operations that wait for an event elsewhere, or for a person and a browser."""

import re
import secrets
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.server.bridge import BridgeContext
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult, Perform

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonMap

LEAST_SECONDS = 0.1
"""Shortest timeout of a request, in seconds."""
PLAIN_ADDRESS = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""Characters that a URL holds unescaped. A backslash is none: browsers read it as a slash and may open another host."""


def bounded(default: int, nothing: str) -> Perform:
    """Make the handler of an operation that blocks until something happens elsewhere.

    Args:
        default: Seconds to wait if the call does not set them.
        nothing: Note for the case that nothing happened.
    """

    async def wait(request: OperationRequest) -> OperationResult:
        seconds = request.own.get("seconds", default)
        try:
            timeout = max(seconds, LEAST_SECONDS)
            answer = await request.bridge.operations.send(
                request.operation, request.call, timeout=timeout, queued=False
            )
        except BackendTimeout:
            return OperationResult(None, notes=[f"{nothing} within {seconds:g} s."])
        return OperationResult(answer.value)

    return wait


def sign_in(url_at: str, next_step: str) -> Perform:
    """Make the handler of an operation that returns a URL for a person to open.

    Args:
        url_at: The field of the reply that holds the URL; inside ``data``, if the reply has that.
        next_step: Next step after the person has signed in.
    """

    async def start(request: OperationRequest) -> OperationResult:
        answer = await request.bridge.operations.send(request.operation, request.call)
        reply = cast("JsonMap", answer.value)
        url = str(cast("JsonMap", reply.get("data", reply)).get(url_at) or "")
        notes = [f"{await _show(request.ctx, url)} {next_step}"] if url else []
        return OperationResult(answer.value, notes=notes)

    return start


async def _show(ctx: BridgeContext, url: str) -> str:
    """Make the host show a URL to the person, if it can; return a sentence on the outcome."""
    ask = f"Give this address to the person, to open in a browser: {url}."
    host = host_of(url)
    if not host or not _can_show(ctx):
        return ask
    shown = await ctx.elicit_url(f"OpenCode asks you to sign in at {host}.", url, secrets.token_urlsafe(16))
    return "The person was shown the address and agreed." if shown.action == "accept" else f"Declined. {ask}"


def host_of(url: str) -> str:
    """Return the host that a browser would open for a web URL; empty if it may differ from the one that is visible."""
    if not PLAIN_ADDRESS.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.hostname or "" if parts.scheme in {"http", "https"} else ""


def _can_show(ctx: BridgeContext) -> bool:
    elicitation = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return elicitation is not None and elicitation.url is not None and ctx.session.can_send_request

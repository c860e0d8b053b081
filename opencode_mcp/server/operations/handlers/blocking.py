"""Operations that wait: for something that happens elsewhere, or for a person and a browser."""

import re
import secrets
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.server.bridge import BridgeContext
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult, Perform

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonMap

LEAST = 0.1
"""Seconds that a request needs at any rate."""
PLAIN_ADDRESS = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""What stands in an address as it is. Browsers read a backslash as a slash, so that another host may be meant."""


def bounded(default: int, nothing: str) -> Perform:
    """Perform an operation that blocks until something happens elsewhere.

    Args:
        default: Seconds to wait when the call does not say.
        nothing: What to say when nothing happened.
    """

    async def wait(request: OperationRequest) -> OperationResult:
        seconds = request.own.get("seconds", default)
        try:
            timeout = max(seconds, LEAST)
            answer = await request.bridge.operations.send(
                request.operation, request.call, timeout=timeout, queued=False
            )
        except BackendTimeout:
            return OperationResult(None, notes=[f"{nothing} within {seconds:g} s."])
        return OperationResult(answer.value)

    return wait


def sign_in(url_at: str, next_step: str) -> Perform:
    """Perform an operation that answers with an address for a person to open.

    Args:
        url_at: The field of the reply that holds the address; inside ``data``, where there is that.
        next_step: What to do when the person has signed in.
    """

    async def start(request: OperationRequest) -> OperationResult:
        answer = await request.bridge.operations.send(request.operation, request.call)
        reply = cast("JsonMap", answer.value)
        url = str(cast("JsonMap", reply.get("data", reply)).get(url_at) or "")
        notes = [f"{await _show(request.ctx, url)} {next_step}"] if url else []
        return OperationResult(answer.value, notes=notes)

    return start


async def _show(ctx: BridgeContext, url: str) -> str:
    """Have the host show an address to the person, where it can; say what became of it."""
    ask = f"Give this address to the person, to open in a browser: {url}."
    host = host_of(url)
    if not host or not _can_show(ctx):
        return ask
    shown = await ctx.elicit_url(f"OpenCode asks you to sign in at {host}.", url, secrets.token_urlsafe(16))
    return "The person was shown the address and agreed." if shown.action == "accept" else f"Declined. {ask}"


def host_of(url: str) -> str:
    """The host that a browser would open at an address of the web; empty where it may be another than it seems."""
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

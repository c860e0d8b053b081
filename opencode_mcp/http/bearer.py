"""Bearer tokens in requests, and the responses to requests without a right one."""

import math
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import Scope

SCHEME = "bearer"
REALM = 'Bearer realm="opencode-mcp"'
WANTED = "Send a token in the header: Authorization: Bearer TOKEN. `opencode-mcp token new` makes one."
IN_URL = "A token in a URL ends up in logs. Send it in the header: Authorization: Bearer TOKEN."


def token_of(scope: "Scope") -> str:
    """Return the token of a request; empty if it has none, or more than one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return ""
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == SCHEME else ""


def has_token_in_url(scope: "Scope") -> bool:
    """Return True if a request seems to have a token in its URL."""
    return b"token" in scope["query_string"].lower()


def no_token() -> Response:
    """Return the response to a request without a token."""
    return PlainTextResponse(WANTED, 401, {"WWW-Authenticate": REALM})


def wrong_token(wait_seconds: float) -> Response:
    """Return the response to a wrong token; after too many of them it says when to come back."""
    if wait_seconds:
        return PlainTextResponse("Too many wrong tokens.", 429, {"Retry-After": str(math.ceil(wait_seconds))})
    challenge = f'{REALM}, error="invalid_token"'
    return PlainTextResponse(f"The token is unknown or was revoked. {WANTED}", 401, {"WWW-Authenticate": challenge})


def token_in_url() -> Response:
    """Return the response to a request with a token in its URL."""
    return PlainTextResponse(IN_URL, 400)

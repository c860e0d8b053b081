"""Bearer tokens in requests, and the responses to requests without a right one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import Scope

SCHEME = "bearer"
REALM = 'Bearer realm="opencode-mcp"'
WANTED = "Send a token in the header: Authorization: Bearer TOKEN. `opencode-mcp token new` makes one."
WANTED_OF_ISSUER = "Send an access token in the header: Authorization: Bearer TOKEN. {metadata_url} names its issuer."
IN_URL = "A token in a URL ends up in logs. Send it in the header: Authorization: Bearer TOKEN."
UNKNOWN_HOLDER = "The token is right, but its holder may not use this server. Ask its operator."
LATER_SECONDS = 10
"""Time after which a token that cannot be checked now may be sent again."""


def token_of(scope: "Scope") -> str:
    """Return the token of a request; empty if it has none, or more than one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return ""
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == SCHEME else ""


def has_token_in_url(scope: "Scope") -> bool:
    """Return True if a request seems to have a token in its URL."""
    return b"token" in unquote_to_bytes(scope["query_string"]).lower()


@dataclass(frozen=True, slots=True)
class Challenge:
    """Responses that say how to get access."""

    metadata_url: str = ""
    """Address of the metadata by which clients find the issuer of access tokens; empty if there is no issuer."""
    scopes: tuple[str, ...] = ()
    """Scopes that a client should ask the issuer for."""

    def no_token(self) -> Response:
        """Return the response to a request without a token."""
        return PlainTextResponse(self._wanted, 401, self._header("", self.scopes))

    def wrong_token(self, wait_seconds: float, reason: str = "") -> Response:
        """Return the response to a wrong token; after too many of them it says when to come back.

        Args:
            wait_seconds: Time after which the next token may be sent; 0: at once.
            reason: What is wrong with an access token; empty for a token of a principal's own.
        """
        if wait_seconds:
            return PlainTextResponse("Too many wrong tokens.", 429, {"Retry-After": str(math.ceil(wait_seconds))})
        words = f"The token is unknown or was revoked. {WANTED}"
        if reason:
            words = f"The access token is not accepted: {reason}. {self._wanted}"
        return PlainTextResponse(words, 401, self._header("invalid_token", self.scopes))

    def few_scopes(self, needed: Iterable[str]) -> Response:
        """Return the response to a token without the scopes that a request needs."""
        scopes = tuple(needed)
        words = f"The token lacks a scope: {' '.join(scopes)}."
        return PlainTextResponse(words, 403, self._header("insufficient_scope", scopes))

    @property
    def _wanted(self) -> str:
        return WANTED_OF_ISSUER.format(metadata_url=self.metadata_url) if self.metadata_url else WANTED

    def _header(self, error: str, scopes: tuple[str, ...]) -> dict[str, str]:
        parameters = {"error": error, "scope": " ".join(scopes), "resource_metadata": self.metadata_url}
        given = [f'{name}="{value}"' for name, value in parameters.items() if value]
        return {"WWW-Authenticate": ", ".join([REALM, *given])}


def unknown_holder() -> Response:
    """Return the response to an access token that belongs to no principal."""
    return PlainTextResponse(UNKNOWN_HOLDER, 403)


def not_now() -> Response:
    """Return the response to a token that cannot be checked now."""
    words = "The token cannot be checked now: the present keys of its issuer are not known."
    return PlainTextResponse(words, 503, {"Retry-After": str(LATER_SECONDS)})


def token_in_url() -> Response:
    """Return the response to a request with a token in its URL."""
    return PlainTextResponse(IN_URL, 400)

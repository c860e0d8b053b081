"""User of an access token, by whom the SDK keeps sessions of the 2025 era apart, and whom the logs name."""

from collections.abc import Mapping
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.requests import HTTPConnection

from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS
from opencode_mcp.text.json_values import as_text

USER = "user"
"""Key of the user in the ASGI scope of a request; the SDK reads it."""


def user_of(claims: Mapping[str, Any]) -> AuthenticatedUser:
    """Return the user of an access token. The token itself is not kept."""
    client = as_text(claims.get("client_id")) or as_text(claims.get("azp")) or as_text(claims["sub"])
    token = AccessToken(
        token="",
        client_id=client,
        scopes=[],
        expires_at=int(claims["exp"]) + CLOCK_SKEW_SECONDS,
        subject=as_text(claims["sub"]),
        claims={"iss": claims["iss"]},
    )
    return AuthenticatedUser(token)


def subject_of(request: object) -> str:
    """Return the subject of the access token of a request; empty if it has none."""
    user = request.scope.get(USER) if isinstance(request, HTTPConnection) else None
    return (user.access_token.subject or "") if isinstance(user, AuthenticatedUser) else ""

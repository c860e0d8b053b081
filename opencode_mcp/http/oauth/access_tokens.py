"""Checks of an access token: a JWT that the issuer has signed for this bridge, and that is valid now (RFC 9068).

The algorithms are fixed, and each key is used with its own only. So a token cannot choose to be unsigned (``none``), or
have a public key used as a shared secret (``HS256``).
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import jwt

from opencode_mcp.http.oauth.issuer import fetch_keys
from opencode_mcp.http.oauth.issuer_keys import IssuerKeys
from opencode_mcp.http.oauth.key_set import ALGORITHMS, KeySet
from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS, OAuthSettings
from opencode_mcp.http.oauth.resource_metadata import metadata_url
from opencode_mcp.http.oauth.token_refused import TokenRefused

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""Types of a JWT that may be an access token. Others, such as those of a logout, are for other purposes."""
NEEDED_CLAIMS = ("exp", "iss", "aud", "sub")
REASONS: Mapping[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidAudienceError: "it is for another audience",
    jwt.InvalidIssuerError: "it is of another issuer",
    jwt.InvalidAlgorithmError: "its algorithm is not accepted",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.MissingRequiredClaimError: "a claim is missing",
}
"""Reasons for the log, without anything of the token."""
Claims = Mapping[str, Any]
FetchKeys = Callable[[OAuthSettings], Awaitable[KeySet]]


class AccessTokens:
    """Checks access tokens.

    Args:
        settings: Whose tokens are accepted.
        task_group: Runs the requests to the issuer.
        fetch: Gets the keys of the issuer.
    """

    def __init__(self, settings: OAuthSettings, task_group: "TaskGroup", fetch: FetchKeys = fetch_keys) -> None:
        self.settings = settings
        self.metadata_url = metadata_url(settings)
        """Address of the metadata by which clients find the issuer."""
        self._keys = IssuerKeys(partial(fetch, settings), task_group)

    def prepare(self) -> None:
        """Begin to fetch the keys of the issuer, so that its failure is in the log when the bridge starts."""
        self._keys.refresh()

    async def verified(self, token: str) -> Claims:
        """Return what an access token says.

        Raises:
            TokenRefused: The token is not accepted.
            IssuerFailed: That cannot be found out now.
        """
        key_id, algorithm = _key_of(token)
        key = await self._keys.find(key_id, algorithm)
        if key is None:
            raise TokenRefused("its key is unknown")
        return claims_of(token, key, self.settings)


def claims_of(token: str, key: jwt.PyJWK, settings: OAuthSettings) -> Claims:
    """Return what an access token says, if the key has signed it, and all of it fits.

    Raises:
        TokenRefused: The token is not accepted.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": list(NEEDED_CLAIMS)},
        )
    except jwt.PyJWTError as error:
        raise _refusal(error) from None
    if "cnf" in claims:
        # A stolen one could be used here (RFC 8705, RFC 9449).
        raise TokenRefused("it is bound to a key, whose possession the bridge cannot check")
    return claims


def _key_of(token: str) -> tuple[str, str]:
    """Return the names of the key and the algorithm in the header of a token, which nobody has verified yet."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise _refusal(error) from None
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise TokenRefused(REASONS[jwt.InvalidAlgorithmError])
    if str(header.get("typ") or "").lower() not in TYPES:
        raise TokenRefused("it is no access token")
    return header.get("kid", ""), algorithm


def _refusal(error: jwt.PyJWTError) -> TokenRefused:
    reason = REASONS.get(type(error), "it is malformed")
    return TokenRefused(reason, has_expired=isinstance(error, jwt.ExpiredSignatureError))

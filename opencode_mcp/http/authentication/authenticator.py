"""Decide whose a request is, by its token: one of a principal's own, or an access token of the issuer."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opencode_mcp.errors import IssuerFailed
from opencode_mcp.http.authentication import bearer
from opencode_mcp.http.authentication.caller import Caller
from opencode_mcp.http.failure_rate_limit import FailureRateLimit, address_of
from opencode_mcp.http.oauth.token_refused import TokenRefused
from opencode_mcp.http.oauth.token_rights import effects_of, restricted, scope_for, scopes_of, usual_scopes
from opencode_mcp.http.principals.claim_match import matching_principals
from opencode_mcp.http.principals.principal_tokens import PREFIX
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

    from opencode_mcp.http.oauth.access_tokens import AccessTokens
    from opencode_mcp.http.oauth.oauth_settings import Scopes
    from opencode_mcp.http.principals.principal import Principal
    from opencode_mcp.http.principals.principal_file import PrincipalFile
    from opencode_mcp.opencode.tables.annotation_types import Effect
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)


class Authenticator:
    """Finds the callers of requests.

    Args:
        file: The principals.
        access_tokens: Checks the tokens of an issuer; ``None`` if there is no issuer.
    """

    def __init__(self, file: "PrincipalFile", access_tokens: "AccessTokens | None" = None) -> None:
        self._file = file
        self._access_tokens = access_tokens
        self._failed = FailureRateLimit()
        self._unassigned = FailureRateLimit()
        """Right tokens that belong to nobody, of which only a limited number is logged, too."""
        self.challenge = _challenge_of(access_tokens)
        """Responses to those who need another token."""

    @property
    def wrong_tokens(self) -> int:
        """Return the number of tokens that were wrong, or belonged to nobody."""
        return self._failed.total + self._unassigned.total

    async def caller_of(self, scope: "Scope") -> "Caller | Response":
        """Return the caller of a request, or the response that refuses it."""
        if bearer.has_token_in_url(scope):
            return bearer.token_in_url()
        token = bearer.token_of(scope)
        if not token:
            return self.challenge.no_token()
        if holder := self._file.holder_of(token):
            principal, digest = holder
            return Caller(principal.name, digest)
        return await self._of_access_token(token, scope)

    async def _of_access_token(self, token: str, scope: "Scope") -> "Caller | Response":
        if self._access_tokens is None or token.startswith(PREFIX):
            return self._refuse(scope, TokenRefused("it is unknown"), is_own=True)
        try:
            claims = await self._access_tokens.verified(token)
        except TokenRefused as refused:
            return self._refuse(scope, refused)
        except IssuerFailed:
            return bearer.not_now()
        return self._holder(claims, self._access_tokens.settings.scopes, scope)

    def _holder(self, claims: Mapping[str, Any], scopes: "Scopes", scope: "Scope") -> "Caller | Response":
        """Return the holder of an access token, or the response that refuses it."""
        matching = matching_principals(claims, self._file.principals.values())
        if len(matching) != 1:
            return self._refuse_unassigned(scope, claims, [one.name for one in matching])
        effects = effects_of(scopes_of(claims), scopes)
        if "read" not in effects:
            return self.challenge.few_scopes([scope_for("read", scopes)])
        return Caller(matching[0].name, claims=claims, effects=effects)

    def rights(self, principal: "Principal", effects: "frozenset[Effect]") -> "Settings":
        """Return what the callers of a principal may do whose tokens permit some effects."""
        if self._access_tokens is None:
            return principal.settings
        return restricted(principal.settings, effects, self._access_tokens.settings.scopes)

    def _refuse(self, scope: "Scope", refused: TokenRefused, *, is_own: bool = False) -> "Response":
        # The client of a token that has expired needs to know that, however many clients are behind its address.
        wait_seconds = 0.0 if refused.has_expired else self._failed.add(address_of(scope))
        if not wait_seconds:
            level = logging.DEBUG if refused.has_expired else logging.WARNING
            logger.log(level, "a wrong token came from %s: %s", address_of(scope), refused.reason)
        return self.challenge.wrong_token(wait_seconds, "" if is_own else refused.reason)

    def _refuse_unassigned(self, scope: "Scope", claims: Mapping[str, Any], names: list[str]) -> "Response":
        if not self._unassigned.add(address_of(scope)):
            fault = f"several principals: {', '.join(names)}" if names else "no principal"
            logger.warning("an access token for the subject %s belongs to %s", one_line(repr(claims["sub"])), fault)
        return bearer.unknown_holder()


def _challenge_of(access_tokens: "AccessTokens | None") -> bearer.Challenge:
    if access_tokens is None:
        return bearer.Challenge()
    return bearer.Challenge(access_tokens.metadata_url, usual_scopes(access_tokens.settings.scopes))

"""Caller of a request: the principal of its token, and what the token permits."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS, EFFECTS
from opencode_mcp.http.principals.claim_match import matching_principals

if TYPE_CHECKING:
    from opencode_mcp.http.principals.principal import Principal
    from opencode_mcp.opencode.tables.annotation_types import Effect

LONGEST_SECONDS = 24 * 3600
"""Limit of a stream of notifications, however long its token is valid."""
Principals = Mapping[str, "Principal"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Principal of a request, and what its token permits."""

    principal: str
    """Name of the principal."""
    digest: str = ""
    """Digest of a token of the principal's own; empty for an access token of an issuer."""
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Claims of an access token."""
    effects: "frozenset[Effect]" = EFFECTS
    """Effects that the token permits."""

    @property
    def seconds_left(self) -> int:
        """Return the time until an access token has expired."""
        return min(int(self.claims["exp"]) - int(time.time()) + CLOCK_SKEW_SECONDS, LONGEST_SECONDS)

    def is_known(self, principals: Principals) -> bool:
        """Return True if the token still belongs to the principal."""
        principal = principals.get(self.principal)
        if principal is None:
            return False
        if self.digest:
            return self.digest in principal.digests
        return matching_principals(self.claims, principals.values()) == [principal]

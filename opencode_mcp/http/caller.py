"""Caller of a request: the principal of its token, and what the token permits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opencode_mcp.http.oauth.oauth_settings import EFFECTS
from opencode_mcp.http.oauth.token_rights import narrowed
from opencode_mcp.http.principals.claim_match import matching_principals

if TYPE_CHECKING:
    from opencode_mcp.config import Settings
    from opencode_mcp.http.principals.principal import Principal
    from opencode_mcp.opencode.tables.annotation_types import Effect

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

    def is_known(self, principals: Principals) -> bool:
        """Return True if the token still belongs to the principal."""
        principal = principals.get(self.principal)
        if principal is None:
            return False
        if self.digest:
            return self.digest in principal.digests
        return matching_principals(self.claims, principals.values()) == [principal]

    def rights(self, principals: Principals) -> "Settings":
        """Return what the caller may do."""
        return narrowed(principals[self.principal].settings, self.effects)

"""Principal of an access token: the one that names its subject, or whose claims it has, each with one of its values."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opencode_mcp.text.json_values import as_text, as_texts

if TYPE_CHECKING:
    from opencode_mcp.http.principals.principal import Principal


def matching_principals(claims: Mapping[str, Any], principals: "Iterable[Principal]") -> "list[Principal]":
    """Return the principals of a token: that of its subject, otherwise those of its other claims."""
    known = list(principals)
    of_subject = [one for one in known if claims.get("sub") in one.subjects]
    return of_subject or [one for one in known if _has_claims(claims, one.claims)]


def _has_claims(claims: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    """Return True if a token has each of the wanted claims; a principal that wants none has no such tokens."""
    fitting = [not _values(claims.get(name)).isdisjoint(values) for name, values in wanted.items()]
    return bool(fitting) and all(fitting)


def _values(claim: object) -> frozenset[str]:
    """Return the values of a claim, which is a text or a list of texts."""
    return frozenset([as_text(claim), *as_texts(claim)]) - {""}

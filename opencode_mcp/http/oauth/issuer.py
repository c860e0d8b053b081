"""Documents of an issuer: its metadata (RFC 8414 or OpenID Connect) and its keys."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import anyio

from opencode_mcp.errors import IssuerFailed
from opencode_mcp.http.oauth.key_set import KeySet, key_set_of
from opencode_mcp.http.oauth.oauth_settings import OAuthSettings
from opencode_mcp.opencode.http_client.document_fetching import fetch
from opencode_mcp.settings import LOOPBACK_NAMES
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_values import as_map, as_text

DOCUMENT_SECONDS = 5.0
"""Time for a document to arrive."""
ALL_SECONDS = 12.0
"""Time for all documents."""
DOCUMENT_BYTES = 256 * 1024
OAUTH_METADATA, OPENID_METADATA = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


async def fetch_keys(settings: OAuthSettings) -> KeySet:
    """Return the keys that the issuer has now.

    Raises:
        IssuerFailed: It cannot be reached, or its documents are wrong.
    """
    try:
        with anyio.fail_after(ALL_SECONDS):
            url = settings.jwks_url or await _announced(settings.issuer)
            keys = key_set_of(await _document(url))
    except TimeoutError as error:
        raise IssuerFailed(f"The issuer {settings.issuer} did not answer within {ALL_SECONDS:g} s.") from error
    if not len(keys):
        raise IssuerFailed(
            f"{url} has no key that can be used.", hint="RSA keys of 2,048 bits and more, P-256 and Ed25519 can be."
        )
    return keys


async def _announced(issuer: str) -> str:
    """Return the address of the keys that the issuer's metadata names."""
    problems: list[str] = []
    for url in metadata_urls(issuer):
        try:
            return _keys_url(issuer, await _document(url))
        except IssuerFailed as error:
            problems.append(error.message)
    raise IssuerFailed(
        f"The issuer {issuer} gives no metadata: {' '.join(problems)}",
        hint="Check oauth.issuer, or name the address of its keys with oauth.jwks_url.",
    )


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Return the addresses at which an issuer may have its metadata."""
    parts = urlsplit(issuer)
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    urls = (f"{base}{OAUTH_METADATA}{path}", f"{base}{path}{OPENID_METADATA}", f"{base}{OPENID_METADATA}{path}")
    return tuple(dict.fromkeys(urls))


def _keys_url(issuer: str, metadata: Mapping[str, object]) -> str:
    named, url = as_text(metadata.get("issuer")), as_text(metadata.get("jwks_uri"))
    if named != issuer:
        raise IssuerFailed(f"The metadata of {issuer} is that of another issuer, {named[:200]!r}.")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_NAMES:
        raise IssuerFailed(f"The metadata of {issuer} names no address of keys that begins with https.")
    return url


async def _document(url: str) -> Mapping[str, object]:
    is_local = urlsplit(url).hostname in LOOPBACK_NAMES
    fetched = await fetch(url, seconds=DOCUMENT_SECONDS, most_bytes=DOCUMENT_BYTES, trust_proxy=not is_local)
    if fetched.problem:
        raise IssuerFailed(f"{url} cannot be read: {fetched.problem}.")
    try:
        return as_map(read_json(fetched.content))
    except ValueError as error:
        raise IssuerFailed(f"{url} is not JSON.") from error

"""Settings of OAuth: the table ``oauth`` of the settings file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast, get_args
from urllib.parse import SplitResult, urlsplit

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.opencode.tables.annotation_types import Effect
from opencode_mcp.options import as_names, as_text, as_texts
from opencode_mcp.settings import LOOPBACK_NAMES

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

CLOCK_SKEW_SECONDS = 60
"""Difference between the clocks of the issuer and this machine that is forgiven."""
EFFECTS: frozenset[Effect] = frozenset(get_args(Effect))
Scopes = Mapping[str, frozenset[Effect]]
"""Effects that each scope of a token permits."""
DEFAULT_SCOPES: Scopes = MappingProxyType(
    {f"opencode:{effect}": frozenset({effect}) for effect in cast("tuple[Effect, ...]", get_args(Effect))}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSettings:
    """Issuer of the access tokens that are accepted, and what they permit."""

    issuer: str
    """Identifier of the issuer, as it is in its tokens."""
    resource: str
    """URL of the bridge's MCP endpoint, as clients write it."""
    audience: tuple[str, ...]
    """Audiences of which a token must have one."""
    jwks_url: str = ""
    """Address of the issuer's keys; empty: the issuer's metadata names it."""
    scopes: Scopes = field(default_factory=lambda: DEFAULT_SCOPES)


def read_oauth(settings: "Settings") -> OAuthSettings | None:
    """Return the settings of OAuth; ``None`` if there are none.

    Raises:
        InvalidSetting: The table is wrong.
    """
    table = settings.oauth
    if not table:
        return None
    for key in table:
        if key not in READERS:
            raise InvalidSetting(f"oauth has no key {key!r}.", hint=f"The keys are {', '.join(READERS)}.")
    for key in ("issuer", "resource"):
        if key not in table:
            raise InvalidSetting(f"oauth has no {key}.", hint=HINTS[key])
    values: dict[str, Any] = {key: _read(key, value) for key, value in table.items()}
    # An issuer that knows the resource has it as the audience of its tokens (RFC 8707).
    values.setdefault("audience", (values["resource"],))
    return OAuthSettings(**values)


def _read(key: str, value: object) -> object:
    try:
        return READERS[key](value)
    except InvalidSetting as error:
        raise InvalidSetting(f"oauth.{key} is wrong: {error.message}", hint=error.hint or HINTS[key]) from error


def _as_secure_url(value: object) -> str:
    """Parse a URL whose exact text counts, so nothing of it is changed."""
    url = as_text(value)
    if not _is_plain_url(url):
        raise InvalidSetting(f"{url!r} is not a URL without a query.")
    if not _is_secure(urlsplit(url)):
        raise InvalidSetting(f"{url!r} is not secure.", hint="Only on this machine may it begin with http.")
    return url


def _is_plain_url(url: str) -> bool:
    """Return True for a URL that names a host, and has no user, query or fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    names_host = bool(parts.hostname) and port != 0 and "@" not in parts.netloc
    return names_host and not parts.query and not parts.fragment


def _is_secure(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES)


def _as_scopes(value: object) -> Scopes:
    if not isinstance(value, Mapping):
        raise InvalidSetting("It must be a table.")
    scopes = {name: _as_effects(effects) for name, effects in cast("Mapping[str, object]", value).items()}
    if not any("read" in effects for effects in scopes.values()):
        raise InvalidSetting("No scope permits to read, so no token could be used.")
    return scopes


def _as_effects(value: object) -> frozenset[Effect]:
    names = as_names(value)
    if unknown := set(names) - EFFECTS:
        raise InvalidSetting(f"{min(unknown)!r} is no effect.", hint="The effects are read, write, execute and admin.")
    return frozenset(cast("tuple[Effect, ...]", names))


READERS: Mapping[str, Callable[[object], object]] = {
    "issuer": _as_secure_url,
    "resource": _as_secure_url,
    "audience": as_texts,
    "jwks_url": _as_secure_url,
    "scopes": _as_scopes,
}
HINTS: Mapping[str, str] = {
    "issuer": 'For instance issuer = "https://login.example.com".',
    "resource": 'For instance resource = "https://agents.example.com/mcp", which clients connect to.',
    "audience": "Leave it out if the tokens have the resource as their audience.",
    "jwks_url": "Leave it out if the issuer publishes its metadata.",
    "scopes": 'For instance scopes = { "opencode" = ["read", "write", "execute"] }.',
}

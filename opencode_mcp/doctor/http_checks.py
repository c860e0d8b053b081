"""Checks of ``serve --http``: address, clients, issuer, shared key and metrics. They serve nothing."""

import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from opencode_mcp.doctor.finding import Finding, failure_of, found, warn
from opencode_mcp.doctor.running_bridge import serves_mcp, serves_metrics
from opencode_mcp.errors import BridgeError, InvalidSetting
from opencode_mcp.http.address import Address
from opencode_mcp.http.authentication.without_authentication import check_authentication
from opencode_mcp.http.metrics.serving import metrics_of
from opencode_mcp.http.oauth.issuer import fetch_keys
from opencode_mcp.http.oauth.oauth_settings import read_oauth
from opencode_mcp.http.principals.principal_file import PrincipalFile, exposure_of
from opencode_mcp.http.web.header_checks import allowed_names
from opencode_mcp.server.tokens.token_codec import key_in
from opencode_mcp.settings import settings_file

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

FREE, USED = "is free", "is used by a bridge that runs"
OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def http_findings(settings: "Settings") -> Iterator[Finding]:
    """Yield the findings of serving HTTP; none if the settings name no address."""
    for name, check in CHECKS.items() if settings.http else ():
        try:
            finding = check(settings)
        except BridgeError as error:
            finding = failure_of(error)
        yield replace(finding, check=name)


def _address(settings: "Settings") -> Finding:
    address = Address.read(settings.http)
    allowed_names(settings, address)
    state = _state(address)
    if address.is_local:
        return found(f"{address} {state}; only programs on this machine can connect")
    return warn(
        f"{address} {state}; other machines can connect",
        "Tokens over plain HTTP can be read on the network: put a reverse proxy with TLS in front, and listen at "
        "127.0.0.1.",
    )


def _state(address: Address) -> str:
    """Return whether an address is free, or used by a bridge that runs.

    Raises:
        InvalidSetting: It cannot be used.
    """
    try:
        address.bind().close()
    except InvalidSetting:
        if serves_mcp(address):
            return USED
        raise
    address.release()
    return FREE


def _authentication(settings: "Settings") -> Finding:
    check_authentication(settings, Address.read(settings.http))
    if settings.insecure_no_auth:
        return warn("none: every program on this machine can use the bridge", "`opencode-mcp token new` makes a token.")
    path = settings_file(settings.environment)
    principals = PrincipalFile(path, settings).principals
    summary = f"principals: {', '.join(principals)}"
    if exposure := exposure_of(path):
        return warn(summary, exposure)
    if sys.platform != "win32" and path.stat().st_mode & OTHERS_READ:
        return warn(f"{summary}; other users can read their digests", f"Run `chmod 600 {path}`.")
    return found(summary)


def _issuer(settings: "Settings") -> Finding:
    oauth = read_oauth(settings)
    if oauth is None:
        return found("none: clients need the tokens of principals")
    keys = anyio.run(fetch_keys, oauth)
    algorithms, audience = ", ".join(keys.algorithms), ", ".join(oauth.audience)
    summary = f"{oauth.issuer} has {len(keys)} keys ({algorithms}); audience: {audience}"
    return _unreachable(settings, oauth.resource, summary) or found(summary)


def _unreachable(settings: "Settings", resource: str, summary: str) -> Finding | None:
    """Return the finding for access tokens that nobody can use."""
    host = urlsplit(resource).netloc
    if not allowed_names(settings, Address.read(settings.http)).has_host(host.lower()):
        return warn(f"{summary}; the bridge refuses requests for {host}", f"Add --http-host {host}.")
    principals = PrincipalFile(settings_file(settings.environment), settings).principals.values()
    if not any(principal.subjects or principal.claims for principal in principals):
        return warn(
            f"{summary}; no principal is for its tokens", 'Add to a principal for instance subjects = ["SUBJECT"].'
        )
    return None


def _key(settings: "Settings") -> Finding:
    if not settings.key_file:
        return found("in the state folder, which bridges on this machine share")
    key_in(settings.key_file)
    summary = f"in {settings.key_file}"
    if settings.url:
        return found(summary)
    return found(f"{summary}; bridges that share it need one OpenCode: the same --url, or the same state folder")


def _metrics(settings: "Settings") -> Finding:
    if not settings.metrics:
        return found("none")
    address = Address.read(settings.metrics)
    state = _state_of_metrics(settings, address)
    if address.is_local:
        return found(f"{address} {state}; only programs on this machine can read them")
    return warn(f"{address} {state}; other machines can read them", "They need no token to do so.")


def _state_of_metrics(settings: "Settings", address: Address) -> str:
    try:
        with metrics_of(settings):
            return FREE
    except InvalidSetting:
        if serves_metrics(address):
            return USED
        raise


CHECKS: Mapping[str, Callable[["Settings"], Finding]] = {
    "HTTP address": _address,
    "HTTP clients": _authentication,
    "issuer": _issuer,
    "shared key": _key,
    "metrics": _metrics,
}

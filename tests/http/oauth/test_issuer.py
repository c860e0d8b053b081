"""Documents of an issuer: what is accepted, and what is not."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from opencode_mcp.errors import IssuerFailed
from opencode_mcp.http.oauth.issuer import DOCUMENT_BYTES, fetch_keys, metadata_urls
from opencode_mcp.http.oauth.key_set import key_set_of
from opencode_mcp.http.oauth.oauth_settings import OAuthSettings
from tests.harness.processes.isolation import NOWHERE
from tests.harness.servers.issuer import AUDIENCE, KEYS_PATH, METADATA_PATHS, Issuer, public_entry, running_issuer

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
OAUTH, OPENID = METADATA_PATHS


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def settings_of(issuer: Issuer) -> OAuthSettings:
    return OAuthSettings(issuer=issuer.url, resource=AUDIENCE, audience=(AUDIENCE,))


async def test_the_metadata_names_the_address_of_the_keys(issuer: Issuer) -> None:
    keys = await fetch_keys(settings_of(issuer))
    assert keys.algorithms == ("RS256", "ES256", "EdDSA")
    assert issuer.asked == [OAUTH, KEYS_PATH]


async def test_an_issuer_of_openid_connect_has_its_metadata_elsewhere(issuer: Issuer) -> None:
    issuer.replies[OAUTH] = (404, {}, b"")
    assert len(await fetch_keys(settings_of(issuer))) == 3
    assert issuer.asked == [OAUTH, OPENID, KEYS_PATH]


async def test_no_metadata_is_read_if_the_settings_name_the_address_of_the_keys(issuer: Issuer) -> None:
    assert await fetch_keys(replace(settings_of(issuer), jwks_url=f"{issuer.url}{KEYS_PATH}"))
    assert issuer.asked == [KEYS_PATH]


@pytest.mark.parametrize(
    ("path", "reply", "said"),
    [
        (KEYS_PATH, (302, {"location": "/elsewhere"}, b""), "status 302"),
        (KEYS_PATH, (500, JSON, b""), "status 500"),
        (KEYS_PATH, (200, JSON, b" " * (DOCUMENT_BYTES + 1)), "more than 262,144 bytes"),
        (KEYS_PATH, (200, JSON, b"["), "is not JSON"),
        (KEYS_PATH, (200, JSON, b"[" * 5000), "is not JSON"),
        (KEYS_PATH, (200, JSON, b"[]"), "has no key"),
        (KEYS_PATH, (200, JSON, b'{"keys": [1, {}, {"kty": "RSA"}]}'), "has no key"),
        (OAUTH, (200, JSON, b'{"issuer": "https://elsewhere"}'), "that of another issuer, 'https://elsewhere'"),
        (OAUTH, (302, {"location": "/elsewhere"}, b""), "status 302"),
    ],
)
async def test_a_wrong_document_is_an_error(
    issuer: Issuer, path: str, reply: tuple[int, dict[str, str], bytes], said: str
) -> None:
    issuer.replies[path] = reply
    if path == OAUTH:
        issuer.replies[OPENID] = reply
    with pytest.raises(IssuerFailed) as failed:
        await fetch_keys(settings_of(issuer))
    assert said in str(failed.value)
    assert "/elsewhere" not in issuer.asked


async def test_keys_are_not_fetched_from_an_address_that_others_can_read(issuer: Issuer) -> None:
    metadata = {"issuer": issuer.url, "jwks_uri": "http://elsewhere.example.com/keys"}
    for path in METADATA_PATHS:
        issuer.replies[path] = (200, JSON, json.dumps(metadata).encode())
    with pytest.raises(IssuerFailed, match="begins with https"):
        await fetch_keys(settings_of(issuer))


async def test_an_issuer_that_is_down_is_an_error() -> None:
    with pytest.raises(IssuerFailed, match=r"gives no metadata.*ConnectError"):
        await fetch_keys(OAuthSettings(issuer=NOWHERE, resource=AUDIENCE, audience=(AUDIENCE,)))


def test_metadata_of_an_issuer_with_a_path_is_looked_for_where_both_standards_say() -> None:
    base = "https://login.example.com"
    assert metadata_urls(f"{base}/tenant/") == (
        f"{base}{OAUTH}/tenant",
        f"{base}/tenant{OPENID}",
        f"{base}{OPENID}/tenant",
    )


def test_only_keys_for_signatures_are_used() -> None:
    good = public_entry("ES256-1")
    entries = [
        good,
        good | {"use": "enc", "kid": "encryption"},
        good | {"key_ops": ["sign"], "kid": "signing"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"},
        public_entry("RS256-1") | {"alg": "HS256", "kid": "confused"},
        public_entry("RS256-1") | {"alg": "RS512", "kid": "other"},
    ]
    keys = key_set_of({"keys": entries})
    assert len(keys) == 1
    assert keys.find("ES256-1", "ES256")
    assert keys.find("ES256-1", "RS256") is None


def test_two_keys_need_names() -> None:
    keys = key_set_of({"keys": [public_entry("ES256-1"), public_entry("ES256-2")]})
    assert keys.find("", "ES256") is None
    assert keys.find("ES256-2", "ES256")


def test_many_keys_that_cannot_be_used_hide_no_other_and_are_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = [{"kty": "RSA", "kid": f"broken-{number}", "n": "AQAB", "e": "AQAB"} for number in range(150)]
    keys = key_set_of({"keys": [*broken, public_entry("ES256-1")]})
    assert keys.algorithms == ("ES256",)
    (line,) = caplog.records
    assert "150 keys of the issuer cannot be used" in line.getMessage()

"""Access tokens of an issuer: which are accepted, and that no other is."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from opencode_mcp.http.oauth.access_tokens import AccessTokens
from opencode_mcp.http.oauth.key_set import KeySet, key_set_of
from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS, OAuthSettings
from opencode_mcp.http.oauth.token_refused import TokenRefused
from tests.harness.servers.issuer import AUDIENCE, KEYS_PATH, Issuer, private_key

pytestmark = pytest.mark.anyio

SKEW = CLOCK_SKEW_SECONDS


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer("https://login.example.com")


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[AccessTokens]:
    async def fetch(_settings: OAuthSettings) -> KeySet:
        return key_set_of(issuer.document(KEYS_PATH))

    settings = OAuthSettings(issuer=issuer.url, resource=AUDIENCE, audience=(AUDIENCE, "other"))
    async with anyio.create_task_group() as tasks:
        yield AccessTokens(settings, tasks, fetch)
        tasks.cancel_scope.cancel()


def seconds_from_now(seconds: float) -> int:
    """A time as claims have it, counted from the call: a module may be imported long before its tests run."""
    return int(time.time() + seconds)


def unsigned(issuer: Issuer, algorithm: str = "none", signature: str = "") -> str:
    parts = ({"alg": algorithm, "typ": "JWT", "kid": "RS256-1"}, issuer.claims())
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, signature])


def signed_with_public_key(issuer: Issuer) -> str:
    """A token whose shared secret is the public key of the issuer, which everybody knows."""
    public = private_key("RS256-1").public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    # PyJWT refuses to make such a token.
    head = unsigned(issuer, "HS256").rstrip(".")
    made = jwt.get_algorithm_by_name("HS256").sign(head.encode(), secret)
    return f"{head}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


@pytest.mark.parametrize("key", ["RS256-1", "ES256-1", "EdDSA-1"])
async def test_a_good_token_is_accepted_with_every_algorithm(issuer: Issuer, tokens: AccessTokens, key: str) -> None:
    assert (await tokens.verified(issuer.token(key)))["sub"] == "alice"


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "expired within the skew": lambda: {"exp": seconds_from_now(-SKEW / 2)},
    "valid in a moment": lambda: {"nbf": seconds_from_now(SKEW / 2)},
    "several audiences": lambda: {"aud": ["elsewhere", AUDIENCE]},
    "another audience of the settings": lambda: {"aud": "other"},
}


@pytest.mark.parametrize("name", GOOD)
async def test_clocks_may_differ_a_little_and_one_audience_is_enough(
    issuer: Issuer, tokens: AccessTokens, name: str
) -> None:
    assert await tokens.verified(issuer.token(**GOOD[name]()))


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+JWT", ""])
async def test_a_token_may_say_that_it_is_an_access_token(issuer: Issuer, tokens: AccessTokens, typ: str) -> None:
    assert await tokens.verified(issuer.token(typ=typ))


async def test_a_token_without_the_name_of_its_key_is_accepted_if_one_key_can_be_meant(
    issuer: Issuer, tokens: AccessTokens
) -> None:
    assert await tokens.verified(issuer.token(kid=None))


BAD: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "expired": (lambda issuer: issuer.token(exp=seconds_from_now(-2 * SKEW)), "it has expired"),
    "not valid yet": (lambda issuer: issuer.token(nbf=seconds_from_now(10 * SKEW)), "it is not valid yet"),
    "issued in the future": (lambda issuer: issuer.token(iat=seconds_from_now(10 * SKEW)), "it is not valid yet"),
    "wrong audience": (lambda issuer: issuer.token(aud="https://elsewhere.example.com"), "it is for another audience"),
    "wrong issuer": (lambda issuer: issuer.token(iss="https://elsewhere.example.com"), "it is of another issuer"),
    "issuer with a slash": (lambda issuer: issuer.token(iss=f"{issuer.url}/"), "it is of another issuer"),
    "no expiry": (lambda issuer: issuer.token(exp=None), "a claim is missing"),
    "no audience": (lambda issuer: issuer.token(aud=None), "a claim is missing"),
    "no issuer": (lambda issuer: issuer.token(iss=None), "a claim is missing"),
    "no subject": (lambda issuer: issuer.token(sub=None), "a claim is missing"),
    "subject that is no text": (lambda issuer: issuer.token(sub=7), "it is malformed"),
    "expiry that is no number": (lambda issuer: issuer.token(exp="soon"), "it is malformed"),
    "token of a logout": (lambda issuer: issuer.token(typ="logout+jwt"), "it is no access token"),
    "type that is no text": (lambda issuer: issuer.token(typ=cast("str", ["JWT"])), "it is no access token"),
    "bound to a key": (
        lambda issuer: issuer.token(cnf={"jkt": "x"}),
        "it is bound to a key, whose possession the bridge cannot check",
    ),
    "none": (unsigned, "its algorithm is not accepted"),
    "None": (lambda issuer: unsigned(issuer, "None"), "its algorithm is not accepted"),
    "signed with the public key": (signed_with_public_key, "its algorithm is not accepted"),
    "another algorithm than its key's": (lambda issuer: unsigned(issuer, "ES256", "AAAA"), "its key is unknown"),
    "no signature": (lambda issuer: unsigned(issuer, "RS256"), "its signature is wrong"),
    "signed by another key": (lambda issuer: issuer.token("RS256-stranger", kid="RS256-1"), "its signature is wrong"),
    "unknown key": (lambda issuer: issuer.token("RS256-stranger"), "its key is unknown"),
    "changed": (lambda issuer: _changed(issuer.token()), "its signature is wrong"),
    "not a token": (lambda _issuer: "a.b.c", "it is malformed"),
    "not ASCII": (lambda _issuer: "ä.ö.ü", "it is malformed"),
    "empty parts": (lambda _issuer: "..", "it is malformed"),
}


def _changed(token: str) -> str:
    """The token for another subject, with the old signature."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"sub": "mallory"}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize("name", BAD)
async def test_every_other_token_is_refused(issuer: Issuer, tokens: AccessTokens, name: str) -> None:
    make, reason = BAD[name]
    with pytest.raises(TokenRefused) as refused:
        await tokens.verified(make(issuer))
    assert refused.value.reason == reason
    assert refused.value.has_expired == (name == "expired")

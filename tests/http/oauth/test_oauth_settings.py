"""The table of OAuth in the settings file."""

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.oauth.oauth_settings import DEFAULT_SCOPES, read_oauth
from opencode_mcp.settings import Settings
from tests.harness.each import for_each

TABLE: dict[str, object] = {"issuer": "https://login.example.com/", "resource": "https://agents.example.com/mcp"}


def test_there_is_no_oauth_without_a_table() -> None:
    assert read_oauth(Settings()) is None


def test_the_texts_are_kept_as_they_are_and_the_resource_is_the_audience() -> None:
    read = read_oauth(Settings(oauth=TABLE))
    assert read
    assert (read.issuer, read.resource) == ("https://login.example.com/", "https://agents.example.com/mcp")
    assert read.audience == ("https://agents.example.com/mcp",)
    assert read.scopes is DEFAULT_SCOPES
    assert dict(DEFAULT_SCOPES) == {f"opencode:{effect}": {effect} for effect in ("read", "write", "execute", "admin")}


def test_everything_can_be_set() -> None:
    more = {"audience": "api://agents", "jwks_url": "http://127.0.0.1:9/k", "scopes": {"use": ["read", "write"]}}
    read = read_oauth(Settings(oauth=TABLE | more))
    assert read
    assert (read.audience, read.jwks_url) == (("api://agents",), "http://127.0.0.1:9/k")
    assert read.scopes == {"use": {"read", "write"}}


@for_each(
    ("change", "said"),
    [
        ({"issuer": None}, "oauth has no issuer"),
        ({"resource": None}, "oauth has no resource"),
        ({"isuer": "x"}, "oauth has no key 'isuer'"),
        ({"issuer": "login.example.com"}, "oauth.issuer is wrong: 'login.example.com' is not a URL"),
        ({"issuer": "http://login.example.com"}, "is not secure"),
        ({"issuer": "ftp://127.0.0.1"}, "is not secure"),
        ({"issuer": "https://login.example.com?x=1"}, "is not a URL"),
        ({"issuer": "https://me:secret@login.example.com"}, "is not a URL"),
        ({"issuer": "https://login.example.com:99999999"}, "is not a URL"),
        ({"issuer": 7}, "It must be a text"),
        ({"resource": "https://agents.example.com/mcp#x"}, "is not a URL"),
        ({"jwks_url": "http://login.example.com/keys"}, "is not secure"),
        ({"audience": 7}, "It must be a list of texts"),
        ({"scopes": []}, "It must be a table"),
        ({"scopes": {"a": ["reed"]}}, "'reed' is no effect"),
        ({"scopes": {"a": ["write"]}}, "No scope permits to read"),
    ],
)
def test_a_wrong_table_is_refused(change: dict[str, object], said: str) -> None:
    table = {key: value for key, value in (TABLE | change).items() if value is not None}
    with pytest.raises(InvalidSetting) as refused:
        read_oauth(Settings(oauth=table))
    assert said in str(refused.value)

"""Principals of access tokens: by their subject, or by all of some other claims."""

import os

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals.claim_match import matching_principals
from opencode_mcp.http.principals.principal import read_principals
from opencode_mcp.settings import Settings
from tests.harness.each import for_each

ROOT = os.path.abspath(os.sep)  # noqa: PTH100 - settings are texts
TABLES: dict[str, dict[str, object]] = {
    "alice": {"subjects": ["alice", "alice-work"], "directories": [f"{ROOT}alice"]},
    "shop": {"claims": {"groups": ["shop-team", "shop-lead"]}, "directories": [f"{ROOT}shop"]},
    "blog": {"claims": {"groups": "blog-team", "client_id": "blog-bot"}, "directories": [f"{ROOT}blog"]},
    "laptop": {"directories": [f"{ROOT}laptop"]},
}


@for_each(
    ("claims", "expected"),
    [
        ({"sub": "alice"}, ["alice"]),
        ({"sub": "alice-work", "groups": ["shop-team"]}, ["alice"]),
        ({"sub": "bob", "groups": ["x", "shop-lead"]}, ["shop"]),
        ({"sub": "bob", "groups": "shop-team"}, ["shop"]),
        ({"sub": "bob", "groups": "blog-team", "client_id": "blog-bot"}, ["blog"]),
        ({"sub": "bob", "client_id": "blog-bot"}, []),
        ({"sub": "bob", "groups": "blog-team"}, []),
        ({"sub": "bob", "groups": ["shop-team", "blog-team"], "client_id": "blog-bot"}, ["shop", "blog"]),
        ({"sub": "bob", "groups": ["shop-tea", 7, None]}, []),
        ({"sub": "Alice"}, []),
        ({"sub": ""}, []),
        ({"sub": "bob", "groups": {"shop-team": 1}}, []),
        ({"sub": "laptop"}, []),
    ],
)
def test_a_token_belongs_to_the_principal_that_names_it(claims: dict[str, object], expected: list[str]) -> None:
    principals = read_principals(TABLES, Settings())
    assert [one.name for one in matching_principals(claims, principals.values())] == expected


def test_two_principals_have_different_subjects() -> None:
    tables = {"a": TABLES["alice"], "b": TABLES["alice"] | {"directories": [f"{ROOT}b"]}}
    with pytest.raises(InvalidSetting, match="a and b have the same subject, alice"):
        read_principals(tables, Settings())


@pytest.mark.parametrize("wrong", [{"claims": ["x"]}, {"claims": {"groups": 7}}, {"subjects": 7}])
def test_a_wrong_table_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting, match=r"principals\.a is wrong"):
        read_principals({"a": {"directories": [f"{ROOT}a"]} | wrong}, Settings())

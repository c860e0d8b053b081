"""Scopes of access tokens, and what they leave of a principal's rights."""

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.http.oauth.oauth_settings import DEFAULT_SCOPES, EFFECTS
from opencode_mcp.http.oauth.token_rights import effects_of, narrowed, reading_scope, scopes_of, usual_scopes
from opencode_mcp.opencode.tables.annotation_types import Effect

ALLOWED = Settings(allow=("execute", "admin", "session.shell", "config.update"))


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "a b"},
        {"scp": ["a", "b"]},
        {"scp": "b a"},
        {"scope": "a", "scp": ["b"]},
        {"scope": " a  b ", "scp": [7]},
    ],
)
def test_scopes_are_a_text_or_a_list(claims: dict[str, object]) -> None:
    assert scopes_of(claims) == {"a", "b"}


@pytest.mark.parametrize("claims", [{}, {"scope": 7}, {"scope": {"a": 1}}, {"scope": ""}])
def test_a_token_may_have_no_scopes(claims: dict[str, object]) -> None:
    assert scopes_of(claims) == frozenset()


def test_scopes_permit_effects_and_unknown_ones_nothing() -> None:
    assert effects_of(["opencode:read", "opencode:write", "openid"], DEFAULT_SCOPES) == {"read", "write"}
    assert effects_of(["read", "write"], DEFAULT_SCOPES) == frozenset()
    assert effects_of([], DEFAULT_SCOPES) == frozenset()


@pytest.mark.parametrize(
    ("effects", "read_only", "allow", "deny"),
    [
        ({"read", "write", "execute", "admin"}, False, ALLOWED.allow, ()),
        ({"read", "write", "execute"}, False, ("execute", "session.shell"), ()),
        ({"read", "write"}, False, (), ("execute",)),
        ({"read", "write", "admin"}, False, ("admin", "config.update"), ("execute",)),
        ({"read"}, True, (), ("execute",)),
        ({"read", "execute", "admin"}, True, ALLOWED.allow, ()),
    ],
)
def test_scopes_narrow_what_a_principal_may_do(
    effects: set[Effect],
    read_only: bool,  # noqa: FBT001
    allow: tuple[str, ...],
    deny: tuple[str, ...],
) -> None:
    made = narrowed(ALLOWED, frozenset(effects))
    assert (made.read_only, made.allow, made.deny) == (read_only, allow, deny)


def test_scopes_give_nothing_that_the_principal_does_not_have() -> None:
    settings = Settings(read_only=True, deny=("execute", "admin"), allow=())
    assert narrowed(settings, EFFECTS) == settings
    assert narrowed(settings, frozenset({"read"})) == settings


def test_clients_are_told_the_scopes_for_ordinary_work() -> None:
    assert usual_scopes(DEFAULT_SCOPES) == ("opencode:read", "opencode:write", "opencode:execute")
    assert reading_scope(DEFAULT_SCOPES) == "opencode:read"
    all_in_one = {"all": EFFECTS}
    assert usual_scopes(all_in_one) == ("all",)
    assert reading_scope({"use": frozenset({"read", "write"}), "look": frozenset({"read"})}) == "look"

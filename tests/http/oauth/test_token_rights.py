"""Scopes of access tokens, and what they leave of a principal's rights."""

import pytest

from opencode_mcp.http.oauth.oauth_settings import DEFAULT_SCOPES, EFFECTS, Scopes
from opencode_mcp.http.oauth.token_rights import effects_of, restricted, scope_for, scopes_of, usual_scopes
from opencode_mcp.opencode.operation_catalog import catalog
from opencode_mcp.opencode.tables.annotation_types import Effect
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.settings import Settings
from tests.harness.each import for_each

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


@pytest.mark.parametrize("claims", [{}, {"scope": 7}, {"scope": {"a": 1}}, {"scope": "", "scp": []}])
def test_a_token_may_have_no_scopes(claims: dict[str, object]) -> None:
    assert scopes_of(claims) == frozenset()


def test_only_spaces_separate_scopes() -> None:
    assert scopes_of({"scope": "a\u00a0b\tc  d "}) == {"a\u00a0b\tc", "d"}


def test_scopes_permit_effects_and_unknown_ones_nothing() -> None:
    assert effects_of(["opencode:read", "opencode:write", "openid"], DEFAULT_SCOPES) == {"read", "write"}
    assert effects_of(["read", "write"], DEFAULT_SCOPES) == frozenset()
    assert effects_of([], DEFAULT_SCOPES) == frozenset()


@for_each(
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
    made = restricted(ALLOWED, frozenset(effects), DEFAULT_SCOPES)
    assert (made.read_only, made.allow, made.deny) == (read_only, allow, deny)


def test_scopes_give_nothing_that_the_principal_does_not_have() -> None:
    settings = Settings(read_only=True, deny=("execute", "admin"), allow=())
    assert restricted(settings, EFFECTS, DEFAULT_SCOPES) == settings
    assert restricted(settings, frozenset({"read"}), DEFAULT_SCOPES) == settings


@pytest.mark.parametrize(
    ("settings", "effects", "missing"),
    [
        (Settings(), {"read"}, {"write", "execute"}),
        (Settings(), {"read", "write"}, {"execute"}),
        (Settings(allow=("config.update",)), {"read", "write"}, {"execute", "admin"}),
        (Settings(deny=("execute",)), {"read"}, {"write"}),
        (Settings(read_only=True), {"read"}, set[str]()),
    ],
)
def test_only_scopes_that_would_help_are_named(settings: Settings, effects: set[Effect], missing: set[str]) -> None:
    made = restricted(settings, frozenset(effects), DEFAULT_SCOPES)
    assert made.missing_scopes == {effect: f"opencode:{effect}" for effect in missing}


@pytest.mark.parametrize(("operation", "scope"), [("session.delete", "opencode:write"), ("file.read", "")])
def test_a_refusal_names_the_scope_that_is_missing(operation: str, scope: str) -> None:
    allowed = AllowedOperations(restricted(Settings(), frozenset({"read"}), DEFAULT_SCOPES))
    refusal = allowed.refusal(catalog.table_of(1).operations[operation])
    assert bool(refusal and f"lacks the scope {scope}." in refusal.message) == bool(scope)


def test_the_metadata_for_clients_names_the_scopes_for_ordinary_work() -> None:
    assert usual_scopes(DEFAULT_SCOPES) == ("opencode:read", "opencode:write", "opencode:execute")
    assert scope_for("read", DEFAULT_SCOPES) == "opencode:read"
    all_in_one = {"all": EFFECTS}
    assert usual_scopes(all_in_one) == ("all",)
    both: Scopes = {"use": frozenset({"read", "write"}), "look": frozenset({"read"})}
    assert [scope_for(effect, both) for effect in ("read", "write", "admin")] == ["look", "use", ""]

"""Principals of a settings file: what each may do, and that two of them never share anything."""

import os
import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals import principal_file
from opencode_mcp.http.principals.principal import overlap, read_principals
from opencode_mcp.http.principals.principal_file import PrincipalFile, exposure_of
from opencode_mcp.http.principals.principal_tokens import PREFIX, digest_of, matching, new_token
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.settings import Settings
from tests.harness.each import for_each

ONE = digest_of("one")
ROOT = os.path.abspath(os.sep)  # noqa: PTH100 - settings are texts
TABLE: dict[str, object] = {"token_sha256": ONE, "directories": [f"{ROOT}p"]}


def settings_of(table: dict[str, object], settings: Settings | None = None) -> Settings:
    return read_principals({"laptop": TABLE | table}, settings or Settings())["laptop"].settings


def test_a_principal_has_its_own_settings() -> None:
    made = settings_of({"allow": ["execute"], "permissions": "agent", "max_cost": 2, "model": "a/b"})
    assert (made.principal, made.directories) == ("laptop", (f"{ROOT}p",))
    assert (made.allow, made.permissions, made.max_cost, made.model) == (("execute",), "agent", 2.0, "a/b")


def test_what_restricts_the_bridge_restricts_every_principal() -> None:
    bridge = Settings(read_only=True, deny=("write",), max_cost=1, max_steps=5, allow=("admin",), directories=("/all",))
    made = settings_of(
        {"read_only": False, "deny": ["execute"], "max_cost": 2, "max_steps": 3, "max_minutes": 4}, bridge
    )
    assert made.read_only
    assert made.deny == ("write", "execute")
    assert (made.max_cost, made.max_steps, made.max_minutes) == (1, 3, 4)
    assert made.allow == ()
    assert made.directories == (f"{ROOT}p",)


def test_what_the_bridge_allows_without_asking_is_not_allowed_to_principals() -> None:
    bridge = Settings(permissions="allow", permission_rules={"bash": {"*": "allow", "git *": "agent"}})
    made = settings_of({}, bridge)
    assert (made.permissions, made.permission_rules) == ("human", {})
    own = settings_of({"permissions": "agent", "permission_rules": {"edit": "allow"}}, bridge)
    assert (own.permissions, own.permission_rules) == ("agent", {"edit": {"*": "allow"}})


def test_what_the_bridge_rejects_is_rejected_for_principals_whatever_their_rules_say() -> None:
    bridge = Settings(permissions="reject", permission_rules={"shell": {"*": "allow", "rm *": "reject"}})
    assert settings_of({}, bridge).permissions == "reject"
    made = settings_of({"permissions": "agent", "permission_rules": {"bash": {"rm *": "human", "*": "allow"}}}, bridge)
    assert made.permissions == "agent"
    for kind in ("bash", "shell"):
        policy = Policy(made.permissions, made.permission_rules)
        assert [policy.decider(kind, [line]) for line in ("rm x", "ls")] == ["reject", "allow"]


def test_the_limit_of_runs_is_the_principals_own_and_that_of_batches_stays() -> None:
    bridge = Settings(max_runs=5, max_cost_a_day=10)
    made = settings_of({"max_runs": 2, "max_cost_a_day": 20}, bridge)
    assert (made.max_runs, made.runs_at_once, made.max_cost_a_day) == (5, 2, 10)
    assert settings_of({"max_cost_a_day": 3}, bridge).max_cost_a_day == 3
    assert settings_of({}, bridge).runs_at_once is None


@for_each(
    ("table", "said"),
    [
        ({"directories": []}, "It has no directories"),
        ({"directories": ["p"]}, "directories: 'p' is relative"),
        ({"token_sha256": "short"}, "must be a SHA-256"),
        ({"token": "secret"}, "It has no key 'token'"),
        ({"http": "127.0.0.1:1"}, "It has no key 'http'"),
        ({"allow": ["exec"]}, "'exec', which does not exist"),
        ({"read_only": "maybe"}, "read_only: It must be true or false"),
    ],
)
def test_a_wrong_table_is_refused_with_the_name_of_the_principal(table: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        settings_of(table)
    assert "principals.laptop is wrong" in str(refused.value)
    assert said in str(refused.value)


@for_each("name", ["", "Laptop", "a b", "a.b", "-a", "a" * 64])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match="is not a name"):
        read_principals({name: TABLE}, Settings())


def test_two_principals_have_different_tokens() -> None:
    with pytest.raises(InvalidSetting, match="a and b have the same token"):
        read_principals({"a": TABLE, "b": TABLE | {"directories": [f"{ROOT}q"]}}, Settings())


@for_each(
    ("one", "other", "shared"),
    [
        ("/p", "/p", True),
        ("/p", "/p/sub", True),
        ("/p/*", "/p/shop", True),
        ("/p/*", "/p/shop/sub", True),
        ("/p/a*", "/p/*b", True),
        ("/p/*/*", "/p", True),
        ("/P", "/p", True),
        ("/p/../q", "/q", True),
        ("/", "/p", True),
        ("/p", "/pq", False),
        ("/p/a", "/p/b", False),
        ("/p/a*", "/p/b", False),
        ("/p/a*", "/q/a", False),
    ],
)
def test_directories_of_two_principals_do_not_contain_each_other(one: str, other: str, shared: bool) -> None:  # noqa: FBT001
    assert overlap(one, other) is shared
    assert overlap(other, one) is shared
    tables = {"a": {"directories": [one]}, "b": {"directories": [other]}}
    if shared:
        with pytest.raises(InvalidSetting, match="The principals a and b would both work in"):
            read_principals(tables, Settings())
    else:
        assert len(read_principals(tables, Settings())) == 2


def test_links_to_one_folder_are_one_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert overlap(str(tmp_path / "link" / "sub"), str(tmp_path / "real"))


def test_a_token_is_found_by_its_digest_alone() -> None:
    token = new_token()
    assert token.startswith(PREFIX)
    assert len(token) > 43
    assert new_token() != token
    assert matching(token, [ONE, digest_of(token)]) == digest_of(token)
    assert matching(token, [ONE]) == ""
    assert matching(digest_of(token), [digest_of(token)]) == ""


def test_a_settings_file_is_read_again_when_it_changes_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    table = f'token_sha256 = "{ONE}"\ndirectories = ["/p"]\n'
    path.write_text(f"[principals.a]\n{table}", encoding="utf-8")
    file = PrincipalFile(path, Settings())
    assert file.holder_of("one")
    assert not file.refresh()
    path.write_text(f"[principals.longer]\n{table}", encoding="utf-8")
    assert file.refresh()
    found = file.holder_of("one")
    assert found
    assert found[0].name == "longer"
    path.write_text("[principals.longer]\nbroken", encoding="utf-8")
    assert not file.refresh()
    assert file.holder_of("one")


def test_a_settings_file_that_an_editor_replaces_keeps_its_principals_and_one_that_is_gone_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    text = f'[principals.a]\ntoken_sha256 = "{ONE}"\ndirectories = ["/p"]\n'
    path.write_text(text, encoding="utf-8")
    file = PrincipalFile(path, Settings())
    path.unlink()
    assert not file.refresh()
    path.mkdir()
    assert not file.refresh()
    assert file.holder_of("one")
    path.rmdir()
    path.write_text("\ufeff" + text, encoding="utf-8")
    assert file.refresh()
    assert file.holder_of("one")
    path.unlink()
    assert not file.refresh()
    monkeypatch.setattr(principal_file, "GONE_SECONDS", 0.0)
    assert file.refresh()
    assert file.holder_of("one") is None


def test_a_settings_file_that_is_being_written_in_place_keeps_its_principals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    text = f'[principals.a]\ntoken_sha256 = "{ONE}"\ndirectories = ["/p"]\n'
    path.write_text(f"{text}read_only = true\n", encoding="utf-8")
    file = PrincipalFile(path, Settings())
    for part in ("", text):
        path.write_text(part, encoding="utf-8")
        assert not file.refresh()
        found = file.holder_of("one")
        assert found
        assert found[0].settings.read_only
    monkeypatch.setattr(principal_file, "GONE_SECONDS", 0.0)
    assert file.refresh()
    found = file.holder_of("one")
    assert found
    assert not found[0].settings.read_only


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_settings_file_that_others_can_change_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("", encoding="utf-8")
    path.chmod(0o600)
    assert exposure_of(path) == ""
    path.chmod(0o622)
    assert "Other users can write to" in exposure_of(path)

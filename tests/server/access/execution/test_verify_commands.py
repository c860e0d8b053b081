"""A command verifies the work of a run if the settings name it, or allow shell lines of the caller."""

from typing import Any

import pytest

from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.options import VerifyCommand
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.runs.verification.wanted_verification import Verify
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.execution.verify_commands import may_verify, request_of
from opencode_mcp.settings import Settings

NAMED = {"test": VerifyCommand("pytest -q", 30, ("DATABASE_URL",))}


def wanted(line: str, repair: int = 0, **settings: Any) -> Verify | None:  # noqa: ANN401 - of any setting
    """Return what a bridge with some settings makes of the arguments."""
    known = Settings(verify=NAMED, environment={"OPENCODE_MCP_CONFIG": "/etc/bridge.toml"}, **settings)
    return request_of(known, AllowedOperations(known), line, repair)


def test_a_named_line_may_always_be_used_also_where_shell_lines_are_denied() -> None:
    expected = Verify("pytest -q", 30, "test", ("DATABASE_URL",), 2)
    assert wanted(" test ", 2) == wanted(" test ", 2, deny=("execute",)) == expected
    assert wanted(" test ", 2, allow=("execute",)) == expected
    assert wanted("") is None


def test_a_line_that_the_settings_do_not_name_needs_permission() -> None:
    assert wanted("make check", allow=("session.shell",)) == Verify("make check", 600)
    assert wanted("make check", allow=("execute",), verify_seconds=1200) == Verify("make check", 1200)
    several: list[dict[str, Any]] = [{}, {"allow": ("execute",), "deny": ("session.shell",)}]
    for settings in several:
        with pytest.raises(NotAllowed, match=r"'make check' is not allowed here: .*; they are test\.") as refused:
            wanted("make check", **settings)
        assert refused.value.change
        assert refused.value.change.flags == ("--deny session.shell" if settings else "--allow session.shell")
        assert "put the check into the prompt" in refused.value.hint
        assert "/etc/bridge.toml" in refused.value.by_person
        assert "`[verify]`" in refused.value.by_person
    nothing = Settings()
    with pytest.raises(NotAllowed, match=r"there are none\."):
        request_of(nothing, AllowedOperations(nothing), "ls", 0)


def test_what_cannot_be_verified_is_refused() -> None:
    for line, repair, settings, words in (
        ("", 1, {}, "without verify"),
        ("test", 6, {}, "repair=6"),
        ("test", 0, {"url": "http://192.0.2.1:4096"}, "another machine"),
        ("te\0st", 0, {}, "verify"),
        ("x" * 4001, 0, {"allow": ("execute",)}, "4,001 characters"),
    ):
        with pytest.raises(InvalidArgument, match=words):
            wanted(line, repair, **settings)


def test_another_bridge_goes_on_only_if_its_own_settings_allow_the_command() -> None:
    def may(request: Verify, **settings: Any) -> bool:  # noqa: ANN401 - of any setting
        known = Settings(**settings)
        policy = Policy(known.permissions, known.permission_rules)
        return may_verify(known, AllowedOperations(known), policy, request)

    named, free = Verify("pytest -q", 30, "test", ("DATABASE_URL",)), Verify("make check", 600)
    assert may(named, verify=NAMED)
    assert not may(named)
    assert not may(named, verify={"test": VerifyCommand("pytest -q --all")})
    assert not may(named, verify=NAMED, read_only=True)
    assert may(free, allow=("execute",), permissions="allow")
    assert not may(free, allow=("execute",), permissions="human")
    assert not may(free, permissions="allow")

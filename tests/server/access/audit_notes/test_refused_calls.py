"""Reason for the refusal of a call, for the audit log."""

import pytest

from opencode_mcp.errors import LimitReached, NotAllowed, NotFound, SettingsChange
from opencode_mcp.server.access.allowed_directories import Roots
from opencode_mcp.server.access.audit_notes.refused_calls import (
    note_refusal,
    noted_refusals,
    reason_of,
    reason_of_unlisted,
)
from opencode_mcp.settings import Settings
from tests.harness.each import for_each


@for_each(
    ("error", "reason"),
    [
        (NotAllowed("No.", change=SettingsChange("--deny write", removes=True)), "--deny write"),
        (NotAllowed("No.", change=SettingsChange("--allow pty.create")), "no --allow pty.create"),
        (NotAllowed("No.", change=Roots(Settings(directories=("/a",))).with_directory("/b")), "no --directory /b"),
        (NotAllowed("No.", scope="opencode:write"), "scope opencode:write"),
        (NotAllowed("No."), "settings"),
        (LimitReached("No."), "limit"),
        (NotFound("No."), ""),
        (None, ""),
    ],
)
def test_the_error_of_a_call_says_what_refused_it(error: Exception | None, reason: str) -> None:
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("tool", "settings", "reason"),
    [
        ("opencode_run", Settings(read_only=True), "--read-only"),
        ("opencode_run", Settings(deny=("write",)), "settings"),
        ("opencode_revert", Settings(missing_scopes={"write": "opencode:write"}), "scope opencode:write"),
        (
            "opencode_call_operation",
            Settings(read_only=True, missing_scopes={"write": "opencode:write"}),
            "scope opencode:write",
        ),
        ("opencode_unknown", Settings(read_only=True), ""),
    ],
)
def test_a_tool_that_is_not_listed_is_refused_by_what_hides_it(tool: str, settings: Settings, reason: str) -> None:
    assert reason_of_unlisted(tool, settings) == reason


def test_a_refusal_is_noted_for_every_block_around_the_call() -> None:
    note_refusal("outside of all blocks")
    with noted_refusals() as outer:
        with noted_refusals() as inner:
            note_refusal("limit")
        assert outer == inner == ["limit"]
    with noted_refusals() as later:
        assert later == []

"""Decisions about shell lines: each simple command counts, and one that cannot be parsed gets the strictest rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.options import Decider
from opencode_mcp.runs.requests.permission_policy import STRICTNESS, Policy
from opencode_mcp.runs.requests.shell_policy import always_decider, asked_decider, shell_decider
from tests.harness.each import for_each

BASH: dict[str, Decider] = {
    "git status*": "allow",
    "git diff*": "allow",
    "echo *": "agent",
    "rm *": "reject",
    "git push*": "reject",
}
POLICY = Policy("human", {"bash": BASH})


@for_each(
    ("line", "decider"),
    [
        ("git status", "allow"),
        ("  git status --short  ", "allow"),
        ("git status && git diff", "allow"),
        ("git status 2>&1", "allow"),
        ("git status 2>/dev/null", "allow"),
        ("git status | echo x", "agent"),
        ("ls", "human"),
        ("git status; ls", "human"),
        ("git status x && ls", "human"),
        ("git status & ls", "human"),
        ("git status | tee x", "human"),
        ("git status;rm -rf x", "reject"),
        ("git status||rm -rf x", "reject"),
        ("git status; if true; then rm x; fi", "reject"),
        ("git status; X=1 rm x", "reject"),
        ("git status; git  push", "reject"),
        ("git  push", "reject"),
        ('git status; "rm" x', "reject"),
        ("git status '; rm x'", "reject"),
    ],
)
def test_the_strictest_of_the_simple_commands_decides(line: str, decider: Decider) -> None:
    assert shell_decider(POLICY, line) == decider


@for_each(
    "line",
    [
        "git status $(touch x)",
        "git status `touch x`",
        "git status '$(touch x)'",
        "git status $X",
        "git status\ntouch x",
        "git status \touch x",
        "git status \ud800",
        "git status > README.md",
        "git status 2>&1x",
        "git status < x",
        "git status <(touch x)",
        "(git status)",
        "git status (touch x)",
        "git status {a,b}",
        "git status \\; touch x",
        "git status \x00",
        "git status \u2028 touch x",
    ],
)
def test_what_cannot_be_taken_apart_is_decided_by_the_strictest_rule(line: str) -> None:
    assert shell_decider(POLICY, line) == "reject"
    assert shell_decider(Policy("human", {"bash": {"*": "allow"}}), line) == "human"
    assert shell_decider(Policy("allow"), line) == "allow"
    assert shell_decider(Policy("reject", {"bash": {"*": "allow"}}), line) == "reject"


def test_a_caller_can_be_stricter_and_never_looser() -> None:
    assert shell_decider(POLICY, "git status", "human") == "human"
    assert shell_decider(POLICY, "ls", "allow") == "human"
    assert shell_decider(Policy("reject"), "ls", "allow") == "reject"


@given(
    st.lists(st.sampled_from(["git status", "ls", "rm x", "echo y"]), min_size=1, max_size=4),
    st.text(";&|", min_size=1),
)
def test_no_part_is_looser_in_company_than_alone(parts: list[str], between: str) -> None:
    together = shell_decider(POLICY, between.join(parts))
    assert all(STRICTNESS[together] >= STRICTNESS[shell_decider(POLICY, part)] for part in parts)


# A permission of OpenCode 2 is for a whole line


@for_each(
    ("lines", "decider"),
    [
        (["git status"], "allow"),
        (["git status && git diff 2>/dev/null"], "allow"),
        (["git status; ls"], "human"),
        (["git status && rm -rf x"], "reject"),
        (["git status | echo x"], "agent"),
        (["git status > README.md"], "human"),
        (["git status $HOME"], "human"),
        (["git status $(touch x)"], "human"),
        (["git status $(rm x)"], "reject"),
        (["git status `rm x`"], "reject"),
        (["git status\nrm x"], "reject"),
        (["git status <(rm x)"], "reject"),
        (["(rm x)"], "reject"),
        (["git status", "rm x"], "reject"),
        ([], "human"),
    ],
)
def test_a_rule_for_one_command_allows_no_line_that_contains_others(lines: list[str], decider: Decider) -> None:
    assert asked_decider(POLICY, "shell", lines) == decider
    assert asked_decider(Policy("human", {"shell": BASH}), "shell", lines) == decider
    assert asked_decider(POLICY, "shell", lines, "reject") == "reject"


@for_each(
    ("policy", "decider"),
    [
        (Policy("allow"), "allow"),
        (Policy("human"), "human"),
        (Policy("reject"), "reject"),
        (Policy("human", {"shell": {"*": "allow"}}), "allow"),
        (Policy("agent", {"bash": {"git *": "allow"}}), "agent"),
        (Policy("allow", {"bash": {"rm *": "reject"}}), "human"),
    ],
)
def test_a_line_that_cannot_be_taken_apart_is_not_rejected_for_that_alone(policy: Policy, decider: Decider) -> None:
    assert asked_decider(policy, "shell", ["git log > $OUT"]) == decider


@for_each(
    ("saved", "decider"),
    [
        (["git status"], "allow"),
        (["git status; ls"], "human"),
        (["git status *.py"], "reject"),
        (["git status ?"], "reject"),
        (["git status", "rm x"], "reject"),
        ([], "allow"),
    ],
)
def test_always_for_a_line_with_a_wildcard_may_cover_any_line(saved: list[str], decider: Decider) -> None:
    assert always_decider(POLICY, "shell", saved) == decider
    assert always_decider(Policy("human", {"shell": {"*": "allow"}}), "shell", saved) == "allow"


@pytest.mark.parametrize(
    ("policy", "decider"),
    [
        (Policy("allow"), "allow"),
        (Policy("reject"), "reject"),
        (Policy("allow", {"edit": {"*.md": "agent"}}), "agent"),
        (Policy("allow", {"edit": {"*.env": "reject"}}), "human"),
        (Policy("human", {"edit": {"*": "allow"}}), "human"),
    ],
)
def test_a_request_that_does_not_say_what_it_is_for_is_decided_by_the_strictest_rule(
    policy: Policy, decider: Decider
) -> None:
    assert asked_decider(policy, "edit", []) == decider
    assert asked_decider(policy, "", ["a"]) == decider
    assert asked_decider(policy, "edit", [], "reject") == "reject"


def test_permissions_of_other_kinds_are_decided_as_before() -> None:
    policy = Policy("human", {"edit": {"*": "allow"}, "bash": {"git *": "allow"}})
    assert asked_decider(policy, "edit", ["a;b"]) == "allow"
    assert always_decider(policy, "edit", ["*"]) == "allow"
    # OpenCode 1 asks for the commands of a line one by one.
    assert asked_decider(policy, "bash", ["git log > x"]) == "allow"


def test_a_line_of_a_caller_keeps_to_the_rules_under_both_names() -> None:
    assert shell_decider(Policy("human", {"shell": {"git *": "allow"}}), "git log") == "allow"
    assert shell_decider(Policy("human", {"bash": {"*": "allow"}, "shell": {"rm *": "reject"}}), "rm x") == "reject"
    assert shell_decider(Policy("human", {"bash": {"rm *": "reject"}, "shell": {"*": "allow"}}), "rm x") == "reject"


@given(st.text(" abrm;&|$()\n*", max_size=12))
def test_no_line_that_runs_a_rejected_command_is_allowed_or_left_to_an_agent(text: str) -> None:
    policy = Policy("agent", {"bash": {"*": "allow", "rm *": "reject"}})
    assert asked_decider(policy, "shell", [f"ls {text}; rm x"]) == "reject"
    assert asked_decider(policy, "shell", [f"ls $(rm x); {text}"]) == "reject"

"""Who decides about a shell line: each simple command counts, and what cannot be told for certain counts most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.options import Decider
from opencode_mcp.runs.requests.permission_policy import STRICTNESS, Policy
from opencode_mcp.runs.requests.shell_policy import shell_decider

BASH: dict[str, Decider] = {
    "git status*": "allow",
    "git diff*": "allow",
    "echo *": "agent",
    "rm *": "reject",
    "git push*": "reject",
}
POLICY = Policy("human", {"bash": BASH})


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


def test_a_caller_narrows_and_never_widens() -> None:
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

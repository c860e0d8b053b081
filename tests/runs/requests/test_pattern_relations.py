"""Comparison of the calls that an answer of "always" covers with the rules; doubts count as not covered."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.options import Decider
from opencode_mcp.runs.requests.pattern_relations import covers, expansions, may_overlap
from opencode_mcp.runs.requests.permission_policy import Policy
from tests.harness.each import for_each

PATTERNS = st.text(alphabet="ab *?", max_size=6)


@pytest.mark.parametrize(
    ("rule", "pattern"), [("*", "echo *"), ("echo *", "echo *"), ("git *", "git push *"), ("l?", "ls"), ("[el]s", "ls")]
)
def test_a_rule_covers_what_can_only_fit_it(rule: str, pattern: str) -> None:
    assert covers(rule, pattern)


@pytest.mark.parametrize(
    ("rule", "pattern"), [("echo safe*", "echo *"), ("echo ?", "echo *"), ("echo [*]", "echo *"), ("ls", "ls *")]
)
def test_a_rule_that_is_narrower_covers_nothing(rule: str, pattern: str) -> None:
    assert not covers(rule, pattern)
    assert may_overlap(rule, pattern) or rule == "ls"


@given(PATTERNS, PATTERNS, st.text(alphabet="ab ", max_size=6))
def test_no_text_shows_that_a_pattern_is_not_covered_or_overlaps_after_all(rule: str, pattern: str, text: str) -> None:
    if not fnmatchcase(text, pattern):
        return
    fits = fnmatchcase(text, rule)
    assert fits or not covers(rule, pattern)
    assert not fits or may_overlap(rule, pattern)


def test_a_pattern_with_an_optional_tail_fits_the_text_without_it() -> None:
    assert expansions("ls *") == ["ls *", "ls"]
    assert expansions("ls*") == ["ls*"]


@for_each(
    ("rules", "always", "decider"),
    [
        ({"echo safe*": "agent"}, ["echo *"], "human"),
        ({"*": "agent"}, ["echo *"], "agent"),
        ({"echo *": "agent", "echo": "agent"}, ["echo *"], "agent"),
        ({"echo *": "agent"}, ["echo *"], "human"),
        ({"*": "agent", "echo danger*": "reject"}, ["echo *"], "reject"),
        ({"*": "agent", "rm *": "reject"}, ["echo *"], "agent"),
        ({"*": "agent", "* --force": "human"}, ["echo *"], "human"),
        ({"*": "allow"}, ["echo *", "*"], "allow"),
        ({"echo *": "allow"}, ["*"], "human"),
    ],
)
def test_always_is_answered_by_the_strictest_who_answers_for_any_of_it(
    rules: dict[str, Decider], always: list[str], decider: Decider
) -> None:
    assert Policy("human", {"bash": rules}).decider_of_covered("bash", always) == decider

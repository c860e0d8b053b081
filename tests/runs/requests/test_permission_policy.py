"""The operator's rules decide, and a caller can only make them stricter."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.runs.requests.permission_policy import STRICTNESS, Policy, strictest
from tests.harness.each import for_each

TABLE = Policy(
    "human",
    {
        "bash": {"*": "human", "git status*": "allow", "rm *": "reject"},
        "edit": {"*": "allow"},
        "external_directory": {"*": "reject"},
        "webfetch": {"https://example.org/*": "agent"},
    },
)
deciders = st.sampled_from(DECIDERS)
patterns = st.lists(st.sampled_from(["git status", "git push", "rm -rf x", "", "*"]), max_size=4)
rules = st.dictionaries(
    st.sampled_from(["bash", "edit"]), st.dictionaries(st.sampled_from(["*", "git *", "rm *"]), deciders, max_size=3)
)
policies = st.builds(Policy, deciders, rules)


@for_each(
    ("permission", "asked", "decider"),
    [
        ("bash", ["ls"], "human"),
        ("bash", ["git status -s"], "allow"),
        ("bash", ["rm -rf build"], "reject"),
        ("bash", ["git status", "ls"], "human"),
        ("bash", ["git status", "rm x"], "reject"),
        ("bash", [], "human"),
        ("edit", ["src/a.py"], "allow"),
        ("edit", [], "allow"),
        ("external_directory", ["/etc/*"], "reject"),
        ("webfetch", ["https://example.org/a"], "agent"),
        ("webfetch", ["https://example.com/a"], "human"),
        ("doom_loop", ["x"], "human"),
    ],
)
def test_the_last_pattern_that_fits_decides_and_of_several_patterns_the_strictest(
    permission: str, asked: Sequence[str], decider: Decider
) -> None:
    assert TABLE.decider(permission, asked) == decider


@given(policies, st.sampled_from(["bash", "edit"]), patterns, deciders)
def test_a_limit_of_the_caller_is_never_looser(
    policy: Policy, permission: str, asked: list[str], caller_limit: Decider
) -> None:
    said = policy.decider(permission, asked, caller_limit)
    assert STRICTNESS[said] >= STRICTNESS[policy.decider(permission, asked)]
    assert STRICTNESS[said] >= STRICTNESS[caller_limit]
    assert said in {caller_limit, policy.decider(permission, asked)}


@given(policies, st.sampled_from(["bash", "edit"]), patterns, st.sampled_from(["git push", "rm x"]))
def test_asking_for_more_is_never_decided_more_loosely(
    policy: Policy, permission: str, asked: list[str], more: str
) -> None:
    alone = policy.decider(permission, asked or [more])
    assert STRICTNESS[policy.decider(permission, [*asked, more])] >= STRICTNESS[alone]


@given(policies, patterns)
def test_a_kind_without_rules_is_for_the_default(policy: Policy, asked: list[str]) -> None:
    assert policy.decider("webfetch", asked) == policy.default


@given(st.lists(deciders, min_size=1))
def test_the_strictest_is_one_of_them_and_none_is_stricter(some: list[Decider]) -> None:
    assert strictest(some) in some
    assert all(STRICTNESS[strictest(some)] >= STRICTNESS[decider] for decider in some)


def test_the_deciders_go_from_the_loosest_to_the_strictest() -> None:
    assert sorted(STRICTNESS, key=STRICTNESS.__getitem__) == ["allow", "agent", "human", "reject"]


@pytest.mark.parametrize(("old", "new"), [("bash", "shell"), ("task", "subagent")])
def test_a_rule_holds_for_both_names_of_a_kind_and_the_name_in_use_counts_last(old: str, new: str) -> None:
    for written, asked in ((old, new), (new, old)):
        policy = Policy("human", {written: {"git *": "allow", "rm *": "reject"}})
        assert policy.decider(asked, ["git log"]) == "allow"
        assert policy.decider(asked, ["rm x"]) == "reject"
        assert policy.decider_of_covered(asked, ["git log*"]) == "allow"
        assert policy.strictest_of_kind(asked) == "reject"
        both = Policy("human", {asked: {"git *": "reject"}, written: {"*": "allow"}})
        assert both.decider(asked, ["git log"]) == "reject"
        assert both.decider(asked, ["ls"]) == "allow"
        assert both.decider(written, ["git log"]) == "allow"
    assert Policy("human", {old: {"*": "allow"}}).decider("edit", ["a"]) == "human"

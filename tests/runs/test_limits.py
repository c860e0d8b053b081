"""Limits of runs as data: which hold, when one is exceeded, and how a caller's are compared with the operator's."""

import pytest

from opencode_mcp.errors import NotAllowed
from opencode_mcp.opencode.vocabulary.wire.providers import Provider, ProviderModel, Providers
from opencode_mcp.runs.enforcement.working_time import WorkingTime
from opencode_mcp.runs.limits import NO_LIMITS, Limits, Used, excess, left, passed_limit, read_limits, tightest
from opencode_mcp.runs.unpriced_models import unknown_cost
from tests.harness.each import for_each

ALL = Limits(max_cost=0.1, max_minutes=5, max_steps=3)


@pytest.mark.parametrize(
    "used", [Used(), Used(cost=0.0999), Used(steps=3), Used(seconds=299), Used(cost=0.09, steps=3, seconds=299)]
)
def test_a_run_within_its_limits_goes_on(used: Used) -> None:
    assert excess(ALL, used) == ""


@pytest.mark.parametrize(
    ("used", "reason"),
    [
        (
            Used(steps=4),
            "The run was stopped in step 4, whose calls may have ended: the limit is 3 steps.",
        ),
        (Used(cost=0.12), "The run was stopped for its cost: the limit is 0.10 USD."),
        (Used(cost=0.1), "The run was stopped for its cost: the limit is 0.10 USD."),
        (Used(seconds=301), "The run was stopped for its working time: the limit is 5 min."),
    ],
)
def test_the_reason_names_the_limit(used: Used, reason: str) -> None:
    assert excess(ALL, used) == reason


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (Used(cost=0.1, steps=3, seconds=300), ""),
        (Used(steps=4), "it took 4 steps, and the limit is 3 steps."),
        (Used(cost=0.12), "it cost 0.12 USD, and the limit is 0.10 USD."),
        (Used(seconds=330), "it worked for 5.5 min, and the limit is 5 min."),
    ],
)
def test_a_run_that_ended_too_soon_to_be_stopped_names_the_limit(used: Used, expected: str) -> None:
    assert passed_limit(ALL, used) == (
        f"The run ended before it could be stopped at its limit: {expected}" if expected else ""
    )
    assert passed_limit(NO_LIMITS, used) == ""


def test_a_limit_of_one_or_of_a_part_is_said_in_plain_words() -> None:
    assert excess(Limits(max_steps=1), Used(steps=2)).endswith("the limit is 1 step.")
    assert excess(Limits(max_minutes=0.05), Used(seconds=3.04)).endswith("working time: the limit is 0.05 min.")
    assert excess(Limits(max_cost=0.00014), Used(cost=0.01)).endswith("cost: the limit is 0.00014 USD.")


def test_a_run_without_limits_never_exceeds_one() -> None:
    assert excess(NO_LIMITS, Used(cost=1000, steps=1000, seconds=1e9)) == ""
    assert not NO_LIMITS
    assert Limits(max_steps=1)


@for_each(
    ("used", "rest"),
    [
        (Used(), ALL),
        (Used(cost=0.04, steps=2, seconds=240), Limits(0.06, 1, 1)),
        (Used(cost=0.1), None),
        (Used(cost=0.09999999999), None),
        (Used(steps=3), None),
        (Used(steps=4), None),
        (Used(seconds=300), None),
    ],
)
def test_work_that_goes_on_has_the_rest_of_the_limits(used: Used, rest: Limits | None) -> None:
    assert left(ALL, used) == rest


def test_work_without_limits_goes_on_without_any() -> None:
    assert left(NO_LIMITS, Used(cost=1000, steps=1000, seconds=1e9)) == NO_LIMITS


def test_the_operators_caps_hold_where_the_caller_sets_nothing_or_less() -> None:
    assert ALL.allowing(NO_LIMITS) == ALL
    assert ALL.allowing(Limits(max_cost=0.05)) == Limits(0.05, 5, 3)
    assert NO_LIMITS.allowing(ALL) == ALL


@pytest.mark.parametrize("wanted", [Limits(max_cost=0.2), Limits(max_minutes=6), Limits(max_steps=4)])
def test_more_than_the_operators_cap_is_refused_with_the_cap_and_the_flag(wanted: Limits) -> None:
    with pytest.raises(NotAllowed) as refused:
        ALL.allowing(wanted)
    name = next(iter(wanted.as_data()))
    assert f"{name}=" in refused.value.message
    assert "the most that is allowed here" in refused.value.message
    assert refused.value.change
    assert refused.value.change.flags.startswith(f"--{name.replace('_', '-')} ")


@pytest.mark.parametrize("limits", [NO_LIMITS, ALL, Limits(max_steps=1)])
def test_limits_are_read_as_they_were_written(limits: Limits) -> None:
    assert read_limits(limits.as_data()) == limits


@for_each("data", [None, [], "5", {"max_cost": "1"}, {"max_cost": -1}, {"max_steps": True}, {"odd": 1}])
def test_other_data_is_no_limits(data: object) -> None:
    with pytest.raises(ValueError, match="no limits"):
        read_limits(data)


def test_of_several_notes_the_lowest_limit_of_each_kind_holds() -> None:
    assert tightest([]) == NO_LIMITS
    assert tightest([Limits(max_cost=1, max_steps=9), Limits(max_cost=2, max_minutes=4)]) == Limits(1, 4, 9)


def test_the_time_in_which_a_run_waits_is_no_working_time() -> None:
    time = WorkingTime(now=100, before=5)
    time.note(110, waits=True)
    assert time.is_paused
    assert time.seconds(5000) == 15
    time.note(5000, waits=False)
    assert time.seconds(5001) == 16


@pytest.mark.parametrize(
    ("cost", "watched"),
    [(None, False), ({"input": 0, "output": 0}, False), ({"input": 0, "output": 2}, True), ({"input": 3}, False)],
)
def test_the_cost_of_a_model_without_a_price_cannot_be_watched(cost: object, watched: object) -> None:
    provider = Provider(id="local", models={"small": ProviderModel(id="small", cost=cost)})
    providers = Providers(all=[provider], connected=["local"])
    assert (unknown_cost(providers, "local/small") == "") is watched
    assert unknown_cost(providers, "") == ""

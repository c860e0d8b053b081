"""The throttle passes on everything soon, and nothing too often. The clock is the test's own."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.server.notifications.throttle import Pace

INTERVAL = 0.25
A_SECOND = 4

Happenings = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400)), max_size=200)
"""Which subject, and how many milliseconds after what happened before."""


def played(happenings: list[tuple[str, int]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """When each subject was noted and when it was told, by somebody who tells whenever something is due."""
    pace, now = Pace[str](INTERVAL), 1000.0
    noted, told = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)

    def tell_until(moment: float) -> None:
        while pace.next_due <= moment:
            due = pace.next_due
            for subject in pace.take(due):
                told[subject].append(due)

    for subject, later in happenings:
        moment = now + later / 1000
        tell_until(moment)
        now = moment
        pace.note(subject, now)
        noted[subject].append(now)
    tell_until(now + INTERVAL)
    return noted, told


@given(Happenings)
def test_no_second_holds_more_than_four_tellings_of_one_subject(happenings: list[tuple[str, int]]) -> None:
    _, told = played(happenings)
    for moments in told.values():
        for moment in moments:
            within = bisect_left(moments, moment + 1 - 1e-6) - bisect_left(moments, moment)
            assert within <= A_SECOND


@given(Happenings)
def test_whatever_is_noted_is_reported_within_the_interval(happenings: list[tuple[str, int]]) -> None:
    noted, told = played(happenings)
    for subject, moments in noted.items():
        for moment in moments:
            place = bisect_left(told[subject], moment)
            assert place < len(told[subject])
            assert told[subject][place] <= moment + INTERVAL + 1e-9


@given(Happenings)
def test_nothing_is_reported_that_was_not_noted_since_it_was_last_reported(happenings: list[tuple[str, int]]) -> None:
    noted, told = played(happenings)
    for subject, moments in told.items():
        for before, moment in zip([-math.inf, *moments], moments, strict=False):
            assert (
                bisect_right(noted[subject], moment) > bisect_right(noted[subject], before) or before in noted[subject]
            )


def test_the_first_is_reported_at_once_and_more_of_it_together_later() -> None:
    pace = Pace[str](INTERVAL)
    pace.note("a", 10.0)
    assert pace.take(10.0) == ["a"]
    pace.note("a", 10.1)
    pace.note("a", 10.2)
    assert pace.take(10.2) == []
    assert pace.next_due == 10.25
    assert pace.take(10.25) == ["a"]
    assert pace.next_due == math.inf


def test_one_subject_does_not_hold_up_another() -> None:
    pace = Pace[str](INTERVAL)
    pace.note("a", 10.0)
    pace.take(10.0)
    pace.note("a", 10.1)
    pace.note("b", 10.1)
    assert pace.take(10.1) == ["b"]


def test_what_is_overdue_is_not_put_off_by_being_noted_again() -> None:
    pace = Pace[str](INTERVAL)
    pace.note("a", 10.0)
    pace.note("a", 10.1)
    assert pace.next_due == 10.0

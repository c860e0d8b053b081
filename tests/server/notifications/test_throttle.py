"""The throttle passes on everything soon, and nothing too often. The clock is the test's own."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.server.notifications.throttle import Throttle

INTERVAL = 0.25
A_SECOND = 4

Happenings = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400)), max_size=200)
"""Events: the subject, and the milliseconds since the one before."""


def played(happenings: list[tuple[str, int]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return when each subject was noted and when it was reported, by a reporter that acts whenever one is due."""
    throttle, now = Throttle[str](INTERVAL), 1000.0
    noted, reported = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)

    def report_until(moment: float) -> None:
        while throttle.next_due <= moment:
            due = throttle.next_due
            for subject in throttle.take(due):
                reported[subject].append(due)

    for subject, later in happenings:
        moment = now + later / 1000
        report_until(moment)
        now = moment
        throttle.note(subject, now)
        noted[subject].append(now)
    report_until(now + INTERVAL)
    return noted, reported


@given(Happenings)
def test_no_second_has_more_than_four_reports_of_one_subject(happenings: list[tuple[str, int]]) -> None:
    _, reported = played(happenings)
    for moments in reported.values():
        for moment in moments:
            within = bisect_left(moments, moment + 1 - 1e-6) - bisect_left(moments, moment)
            assert within <= A_SECOND


@given(Happenings)
def test_whatever_is_noted_is_reported_within_the_interval(happenings: list[tuple[str, int]]) -> None:
    noted, reported = played(happenings)
    for subject, moments in noted.items():
        for moment in moments:
            place = bisect_left(reported[subject], moment)
            assert place < len(reported[subject])
            assert reported[subject][place] <= moment + INTERVAL + 1e-9


@given(Happenings)
def test_nothing_is_reported_that_was_not_noted_since_it_was_last_reported(happenings: list[tuple[str, int]]) -> None:
    noted, reported = played(happenings)
    for subject, moments in reported.items():
        for before, moment in zip([-math.inf, *moments], moments, strict=False):
            assert (
                bisect_right(noted[subject], moment) > bisect_right(noted[subject], before) or before in noted[subject]
            )


def test_the_first_is_reported_at_once_and_more_of_it_together_later() -> None:
    throttle = Throttle[str](INTERVAL)
    throttle.note("a", 10.0)
    assert throttle.take(10.0) == ["a"]
    throttle.note("a", 10.1)
    throttle.note("a", 10.2)
    assert throttle.take(10.2) == []
    assert throttle.next_due == 10.25
    assert throttle.take(10.25) == ["a"]
    assert throttle.next_due == math.inf


def test_one_subject_does_not_hold_up_another() -> None:
    throttle = Throttle[str](INTERVAL)
    throttle.note("a", 10.0)
    throttle.take(10.0)
    throttle.note("a", 10.1)
    throttle.note("b", 10.1)
    assert throttle.take(10.1) == ["b"]


def test_what_is_overdue_is_not_put_off_by_being_noted_again() -> None:
    throttle = Throttle[str](INTERVAL)
    throttle.note("a", 10.0)
    throttle.note("a", 10.1)
    assert throttle.next_due == 10.0

"""OpenCode's clock, as the dates of its replies show it."""

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from opencode_mcp.opencode.http_client.clock import Clock

NOW = 1_764_000_000.0


@pytest.fixture
def set_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets this machine's clock to so many seconds after ``NOW``."""

    def change(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: NOW + seconds)

    change(0)
    return change


def dated(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


@pytest.mark.usefixtures("set_time")
@pytest.mark.parametrize("difference", [-3600, -60, -3, 3, 60, 3600])
def test_a_clock_that_differs_is_followed(difference: int) -> None:
    clock = Clock()
    clock.note(dated(difference))
    assert clock.now() == NOW + difference


@pytest.mark.usefixtures("set_time")
@pytest.mark.parametrize("difference", [-2, -1, 0, 1, 2])
def test_what_the_header_is_too_coarse_for_counts_as_no_difference(difference: int) -> None:
    clock = Clock()
    clock.note(dated(difference))
    assert clock.ahead == 0


def test_of_several_replies_the_one_that_came_soonest_counts(set_time: Callable[[float], None]) -> None:
    clock = Clock()
    for arrived, seconds in [(4.0, 60), (5.1, 65), (6.9, 66), (7.0, 66)]:
        set_time(arrived)
        clock.note(dated(seconds))
    assert clock.ahead == pytest.approx(59.9)


def test_a_clock_that_is_set_right_is_followed(set_time: Callable[[float], None]) -> None:
    clock = Clock()
    clock.note(dated(60))
    for second in range(100):
        set_time(second)
        clock.note(dated(second))
    assert clock.ahead == 0


@pytest.mark.usefixtures("set_time")
@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 23:53:53 GMT", "9" * 100_000])
def test_what_is_no_date_teaches_nothing(date: str) -> None:
    clock = Clock()
    clock.note(date)
    assert clock.now() == NOW


@pytest.mark.usefixtures("set_time")
def test_a_server_of_this_machine_has_this_machines_clock() -> None:
    clock = Clock(same=True)
    clock.note(dated(60))
    assert clock.ahead == 0

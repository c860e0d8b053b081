"""Busy times: the sessions that worked in a directory at some time of a period."""

from opencode_mcp.events.busy_times import PERIODS_KEPT, BusyTimes

DIRECTORY = "/p"


def test_a_session_that_worked_in_the_directory_meanwhile_is_named() -> None:
    times = BusyTimes()
    times.begin("ses_1", DIRECTORY, 10)
    times.begin("ses_1", DIRECTORY, 12)
    times.end("ses_1", 20)
    times.end("ses_1", 30)
    assert times.sessions(DIRECTORY, 0, 10) == []
    assert times.sessions(DIRECTORY, 5, 11) == ["ses_1"]
    assert times.sessions(DIRECTORY, 19, 40) == ["ses_1"]
    assert times.sessions(DIRECTORY, 20, 40) == []
    assert times.sessions("/other", 0, 40) == []


def test_a_session_that_is_still_busy_works_until_now() -> None:
    times = BusyTimes()
    times.begin("ses_1", DIRECTORY, 10)
    assert times.sessions(DIRECTORY, 100, 101) == ["ses_1"]


def test_earlier_periods_are_kept_up_to_a_limit() -> None:
    times = BusyTimes()
    for number in range(PERIODS_KEPT + 1):
        times.begin("ses_1", DIRECTORY, number * 10)
        times.end("ses_1", number * 10 + 5)
    assert times.sessions(DIRECTORY, 0, 5) == []
    assert times.sessions(DIRECTORY, 10, 15) == ["ses_1"]
    times.end("ses_unknown", 1)

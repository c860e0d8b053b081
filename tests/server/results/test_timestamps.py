"""Moments, written and read."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.results.timestamps import (
    local_day,
    local_time,
    local_zone,
    read_local_time,
)
from opencode_mcp.text.utc_time import utc_text

NOON = 1_795_521_600_000.0
"""2026-11-24T12:00:00Z, in milliseconds."""


def test_a_moment_is_written_in_utc() -> None:
    assert utc_text(NOON + 999) == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T13:00+01:00", NOON),
        ("30m", NOON - 1_800_000),
        ("2 h", NOON - 7_200_000),
        ("999999999h", 0),
    ],
)
def test_a_moment_is_read_in_iso_8601_or_as_an_age(text: str, milliseconds: float) -> None:
    assert read_local_time(text, NOON) == milliseconds


@pytest.mark.parametrize("text", ["soon", "24.11.2026", "-1h", "h", ""])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_local_time(text, NOON)
    assert "2026-11-24" in refused.value.hint


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone in which the clock went back in October."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no tzset.")
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("today", "2026-11-24T00:00:00+01:00"),
        (" Yesterday ", "2026-11-23T00:00:00+01:00"),
        ("0d", "2026-11-24T00:00:00+01:00"),
        ("2d", "2026-11-22T00:00:00+01:00"),
        ("5w", "2026-10-20T00:00:00+02:00"),
        ("2h", "2026-11-24T11:00:00+01:00"),
        ("2026-10-20", "2026-10-20T00:00:00+02:00"),
        ("2026-10-20T10:00Z", "2026-10-20T10:00:00+00:00"),
    ],
)
def test_a_period_of_days_begins_at_midnight_of_this_machine(text: str, begin: str) -> None:
    assert read_local_time(text, NOON) == datetime.fromisoformat(begin).timestamp() * 1000


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no tzset.")
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("zone_name", "named"),
    [("UTC", "UTC"), ("GMT", "GMT, UTC+00:00"), ("<-03>3", "UTC-03:00"), ("Asia/Kolkata", "IST, UTC+05:30")],
)
def test_no_time_zone_is_named_twice(monkeypatch: pytest.MonkeyPatch, zone_name: str, named: str) -> None:
    monkeypatch.setenv("TZ", zone_name)
    time.tzset()
    assert local_zone(NOON) == named


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no tzset.")
@pytest.mark.usefixtures("zone")
def test_a_day_is_that_of_this_machine_and_its_zone_is_named() -> None:
    late = NOON + 11.5 * 3_600_000
    assert (local_day(late), local_time(late), local_zone(late)) == (
        "2026-11-25",
        "2026-11-25 00:30",
        "CET, UTC+01:00",
    )


@pytest.mark.parametrize("text", ["soon", "", "-1d", "d"])
def test_no_beginning_of_a_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_local_time(text, NOON)
    assert "today" in refused.value.hint

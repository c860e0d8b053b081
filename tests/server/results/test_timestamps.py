"""Moments, written and read."""

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.results.timestamps import moment, read_moment

NOON = 1_795_521_600_000.0
"""2026-11-24T12:00:00Z, in milliseconds."""


def test_a_moment_is_written_in_utc() -> None:
    assert moment(NOON + 999) == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T13:00+01:00", NOON),
        ("2026-11-24 12:00", NOON),
        ("2026-11-24", NOON - 12 * 3_600_000),
        ("30m", NOON - 1_800_000),
        ("2 h", NOON - 7_200_000),
        ("1d", NOON - 86_400_000),
        ("1w", NOON - 7 * 86_400_000),
        ("99999w", 0),
    ],
)
def test_a_moment_is_read_in_iso_8601_or_as_an_age(text: str, milliseconds: float) -> None:
    assert read_moment(text, NOON) == milliseconds


@pytest.mark.parametrize("text", ["soon", "24.11.2026", "-1h", "h", ""])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_moment(text, NOON)
    assert "2026-11-24" in refused.value.hint

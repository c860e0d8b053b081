"""Convert between OpenCode's milliseconds since the epoch and local times that callers write and read.

Days are those of this machine's time zone, which is that of a person at a host on it. ``text/utc_time.py`` formats
times in UTC. Pure.
"""

import re
from datetime import UTC, datetime, time, timedelta

from opencode_mcp.errors import InvalidArgument

AGE = re.compile(r"(\d{1,9})\s*([mhdw])")
DAYS = {"today": 0, "yesterday": 1}
MOST_DAYS = 36_500
HINT = "Write today, yesterday, 2h, 7d, 2026-11-24 or 2026-11-24T10:00Z."
SECONDS_OF_UNIT = {"m": 60, "h": 3600}


def local_day(milliseconds: float) -> str:
    """Return the day of a time as ``2026-11-24``; empty if it is outside of the calendar."""
    return local_time(milliseconds)[:10]


def local_time(milliseconds: float) -> str:
    """Format a time in this machine's time zone as ``2026-11-24 10:00``; empty if it is outside of the calendar."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return ""


def local_zone(milliseconds: float) -> str:
    """Return the name of this machine's time zone at a time, and its distance from UTC: ``CET, UTC+01:00``."""
    there = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    name, offset = there.strftime("%Z"), there.strftime("%z")
    if name == "UTC":
        return name
    distance = f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{name}, {distance}" if name[:1].isalpha() else distance


def read_local_time(text: str, now: float) -> float:
    """Parse the beginning of a period, and return it in milliseconds since the epoch.

    Args:
        text: ``today``, ``yesterday``, an age such as ``7d``, or a time in ISO 8601, local if it names no zone. An age
            in days or weeks goes back to the beginning of that day.
        now: Present time, in milliseconds since the epoch.

    Raises:
        InvalidArgument: It is none of these.
    """
    word = text.strip().lower()
    age = AGE.fullmatch(word)
    days = DAYS.get(word)
    if age and age[2] in {"d", "w"}:
        days = min(int(age[1]), MOST_DAYS) * (7 if age[2] == "w" else 1)
    if days is not None:
        today = datetime.fromtimestamp(now / 1000, UTC).astimezone().date()
        # The zone is found for that day: the distance from UTC may have changed since.
        return datetime.combine(today - timedelta(days=days), time()).timestamp() * 1000
    if age:
        return max(now - int(age[1]) * SECONDS_OF_UNIT[age[2]] * 1000, 0)
    try:
        # The local time of a day at the ends of the calendar may lie outside of it.
        return datetime.fromisoformat(text.strip()).timestamp() * 1000
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidArgument(f"{text[:40]!r} is not a time.", hint=HINT) from error

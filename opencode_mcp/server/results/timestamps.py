"""Convert between OpenCode's milliseconds since the epoch and the times that callers write and read. Pure."""

import re
from datetime import UTC, datetime

from opencode_mcp.errors import InvalidArgument

AGE = re.compile(r"(\d{1,9})\s*([mhdw])")
SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(milliseconds: float) -> str:
    """Format a time as ``2026-11-24T10:00:00Z``; empty if it is outside of the calendar."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return ""


def read_moment(text: str, now: float) -> float:
    """Parse a time, and return it in milliseconds since the epoch.

    Args:
        text: A time in ISO 8601, in UTC if it names no zone; or an age such as ``2h``.
        now: Present time, from which an age is counted back, in milliseconds since the epoch.

    Raises:
        InvalidArgument: It is neither.
    """
    age = AGE.fullmatch(text.strip())
    if age:
        return max(now - int(age[1]) * SECONDS[age[2]] * 1000, 0)
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidArgument(
            f"{text[:40]!r} is not a time.", hint="Write 2026-11-24, 2026-11-24T10:00Z, or an age as 30m, 2h, 7d."
        ) from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000

"""Times of day in UTC, as results name them. Pure."""

from datetime import UTC, datetime


def utc_text(milliseconds: float) -> str:
    """Format a time since the epoch as ``2026-11-24T10:00:00Z``; empty if it is outside of the calendar."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return ""

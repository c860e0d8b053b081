"""Durations in units that suit them."""

SECONDS_OF_MINUTE = 60
MINUTES_OF_HOUR = 60


def time_spent(seconds: float, waited: float) -> str:
    """Return a duration, and the part of it that was spent waiting for an answer if that is a second or more."""
    within = min(waited, seconds)
    return duration(seconds) + (f" ({duration(within)} of it waiting for an answer)" if within >= 1 else "")


def duration(seconds: float) -> str:
    """Return a duration in the units that suit it."""
    if seconds < SECONDS_OF_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), SECONDS_OF_MINUTE)
    if minutes < MINUTES_OF_HOUR:
        return f"{minutes} min {rest} s"
    return f"{minutes // MINUTES_OF_HOUR} h {minutes % MINUTES_OF_HOUR} min"

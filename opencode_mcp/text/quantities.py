"""Numbers with their nouns, and amounts of money. Pure."""

CENTS = 2
"""Decimals of an amount of ten cents or more, and the fewest of any."""
SMALL_AMOUNT = 0.1
"""Amount in US dollars below which more decimals are shown."""
MOST_DECIMALS = 4


def money(cost: float) -> str:
    """Return an amount of US dollars, such as ``$1.50`` or ``$0.0032``."""
    least = 10**-MOST_DECIMALS
    if 0 < cost < least / 2:
        return f"under ${least:.{MOST_DECIMALS}f}"
    whole, _, decimals = f"{cost:.{MOST_DECIMALS if cost < SMALL_AMOUNT else CENTS}f}".partition(".")
    return f"${whole}.{decimals.rstrip('0').ljust(CENTS, '0')}"


def quantity(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 file`` or ``1,200 files``.

    Args:
        number: The number.
        noun: The noun in the singular.
        plural: Its plural; empty: with an ``s``.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

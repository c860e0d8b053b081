"""Numbers with their nouns. Pure."""


def quantity(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 file`` or ``1,200 files``.

    Args:
        number: The number.
        noun: The noun in the singular.
        plural: Its plural; empty: with an ``s``.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

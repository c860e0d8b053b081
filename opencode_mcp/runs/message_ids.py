"""Message ids of our own, made the way OpenCode makes its ids, since its older versions sort messages by them."""

import secrets
import string
import time
from itertools import count

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
CYCLE = 2**36
"""Milliseconds after which the moments in ids begin anew."""
_counter = count()


def new_message_id() -> str:
    """Make an id for a prompt: ascending with the clock, and never the same twice."""
    return message_id(time.time_ns() // 1_000_000, next(_counter) % 4096, secrets.token_bytes(14))


def message_id(milliseconds: int, counter: int, noise: bytes) -> str:
    """Spell an id.

    Args:
        milliseconds: Since the epoch.
        counter: Tells ids of one millisecond apart; below 4096.
        noise: A byte for each of the last 14 characters.
    """
    moment = (milliseconds * 4096 + counter) % 2**48
    return f"msg_{moment:012x}" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in noise)


def age_of(spelled: str, milliseconds: int) -> float:
    """How many seconds before a moment an id was made; 0 for one that is not spelled so, or made later.

    Args:
        spelled: The id.
        milliseconds: The moment, since the epoch.
    """
    try:
        made = int(spelled.removeprefix("msg_")[:12], 16) // 4096
    except ValueError:
        return 0
    age = (milliseconds - made) % CYCLE
    # The clock of another machine may be ahead of this one.
    return age / 1000 if age < CYCLE // 2 else 0

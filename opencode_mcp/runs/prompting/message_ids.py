"""Message ids that the bridge makes, in the form of OpenCode's own: its older versions sort messages by them.

The last characters of an id are random but for a mark, by which every bridge knows the prompts of bridges.
"""

import secrets
import string
import time
from itertools import count

from opencode_mcp.opencode.vocabulary.wire.message import PROMPT_MARK

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
MOMENT_DIGITS = 12
"""Digits at the beginning of an id that show its time."""
CYCLE = 2**36
"""Milliseconds after which the times in ids start again from zero."""
RANDOM_CHARACTERS = 14 - len(PROMPT_MARK)
_counter = count()


def new_message_id(seconds: float | None = None) -> str:
    """Make an id for a prompt: ascending with the clock, and never the same twice.

    Args:
        seconds: OpenCode's time, since the epoch; this machine's where none is given.
    """
    moment = time.time() if seconds is None else seconds
    return _marked_id(int(moment * 1000))


def message_id_after(earlier: str, made: str) -> str:
    """Return an id, or a similar one that sorts after an earlier message if the id does not.

    Args:
        earlier: The id of the session's last message.
        made: The id that was made for the next one.
    """
    moment = _time_of(earlier)
    if made > earlier or moment is None:
        return made
    return _marked_id(moment + 1)


def _marked_id(milliseconds: int) -> str:
    return message_id(milliseconds, next(_counter) % 4096, secrets.token_bytes(RANDOM_CHARACTERS)) + PROMPT_MARK


def message_id(milliseconds: int, counter: int, noise: bytes) -> str:
    """Format an id.

    Args:
        milliseconds: Since the epoch.
        counter: Tells ids of one millisecond apart; below 4096.
        noise: A byte for each character after the time.
    """
    moment = (milliseconds * 4096 + counter) % 2**48
    return f"msg_{moment:012x}" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in noise)


def age_of(spelled: str, milliseconds: int) -> float:
    """Return the seconds from an id's time to a given time; 0 for an id of another form, or a later one.

    Args:
        spelled: The id, of a message or of a request.
        milliseconds: The moment, since the epoch.
    """
    made = _time_of(spelled)
    if made is None:
        return 0
    age = (milliseconds - made) % CYCLE
    # The clock of another machine may be ahead of this one.
    return age / 1000 if age < CYCLE // 2 else 0


def is_made_before(spelled: str, milliseconds: float) -> bool:
    """Return True if an id was made before a time, in milliseconds since the epoch; False for one of another form."""
    made = _time_of(spelled)
    return made is not None and 0 < (int(milliseconds) - made) % CYCLE < CYCLE // 2


def _time_of(spelled: str) -> int | None:
    """Return the milliseconds in an id, ``None`` for an id of another form."""
    digits = spelled.rpartition("_")[2][:MOMENT_DIGITS]
    try:
        return int(digits, 16) // 4096 if len(digits) == MOMENT_DIGITS else None
    except ValueError:
        return None

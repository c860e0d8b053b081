"""Ids of new sessions, in the form of OpenCode's own: an id sorts before those that were made earlier."""

import secrets

RANDOM_BYTES = 7
TIME_BITS = 48


def new_session_id(seconds: float) -> str:
    """Make an id for a session.

    Args:
        seconds: OpenCode's time, since the epoch.
    """
    until_the_last = 2**TIME_BITS - 1 - int(seconds * 1000) * 4096 % 2**TIME_BITS
    return f"ses_{until_the_last:012x}{secrets.token_hex(RANDOM_BYTES)}"

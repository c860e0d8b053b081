"""Seals what clients carry for us: ids of tasks, and the state of a call that is made again.

The key lies in the state directory, so that what was sealed outlives a restart of the bridge; it is read, or made, when
something is first sealed.
"""

import logging
import os
import secrets
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout
from mcp.server.request_state import AESGCMRequestStateCodec

logger = logging.getLogger(__name__)

NAME = "seal.key"
LENGTH = 32
LOCK_TIMEOUT = 5.0


class Seal:
    """A ``RequestStateCodec`` of the SDK's whose key is fetched late.

    Args:
        state_directory: Where the key lies.
    """

    def __init__(self, state_directory: Path) -> None:
        self._state_directory = state_directory

    @cached_property
    def _codec(self) -> AESGCMRequestStateCodec:
        return AESGCMRequestStateCodec([secret_key(self._state_directory)])

    def seal(self, payload: bytes) -> str:
        """An opaque token that only this key opens."""
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """What was sealed.

        Raises:
            InvalidRequestState: The token was not made with this key, or was changed.
        """
        return self._codec.unseal(token)


def secret_key(state_directory: Path) -> bytes:
    """Read the key from the state directory, or make it; only its owner can read it.

    Where the directory cannot be used, the key is this bridge's alone: a run must not fail for want of a file.
    """
    path = state_directory / NAME
    try:
        return _read(path) or _make(path)
    except (OSError, Timeout) as error:
        logger.warning("%s cannot be used, so no task or form outlives this bridge: %s", path, error)
        return secrets.token_bytes(LENGTH)


def _read(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return b""
    return key if len(key) == LENGTH else b""


def _make(path: Path) -> bytes:
    """Make the key in one's turn: of two bridges that start together one wins, for both."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT):
        return _read(path) or _write(path)


def _write(path: Path) -> bytes:
    """Write beside it and move it into place: whoever reads sees all of it or nothing."""
    key = secrets.token_bytes(LENGTH)
    own = path.with_name(f"{NAME}.new")
    own.unlink(missing_ok=True)
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    own.replace(path)
    return key

"""Seals what clients carry for us: ids of tasks, and the state of a call that is made again.

The key lies in the state directory, so that what was sealed outlives a restart of the bridge; it is read, or made, when
something is first sealed.
"""

import os
import secrets
from functools import cached_property
from pathlib import Path

from mcp.server.request_state import AESGCMRequestStateCodec

from opencode_mcp.errors import InvalidSetting

NAME = "seal.key"
LENGTH = 32


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

    Raises:
        InvalidSetting: The state directory cannot be used.
    """
    path = state_directory / NAME
    try:
        return _read(path) or _make(path)
    except OSError as error:
        raise InvalidSetting(
            f"The state directory {state_directory} cannot be used: {error.strerror}.",
            hint="Set OPENCODE_MCP_STATE to a folder that the bridge may write to.",
        ) from error


def _read(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return b""
    return key if len(key) == LENGTH else b""


def _make(path: Path) -> bytes:
    """Write to a file of our own and link it into place: of two bridges that start together one wins, for both."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = path.with_name(f"{NAME}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
        if not _read(path):
            own.replace(path)
    finally:
        own.unlink(missing_ok=True)
    return _read(path)

"""Seals what clients carry for us: ids of tasks, and the state of a call that is made again.

The key lies in the state directory, so that what was sealed outlives a restart of the bridge; it is read, or made, when
something is first sealed.
"""

import logging
import secrets
from functools import cached_property
from pathlib import Path

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState

from opencode_mcp.disk import state_folder
from opencode_mcp.errors import InvalidSetting

logger = logging.getLogger(__name__)


class TokenCodec:
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

    def unseal_or_none(self, token: str) -> bytes | None:
        """What was sealed; ``None`` where the token was not made with this key, or was changed."""
        try:
            return self.unseal(token)
        except InvalidRequestState:
            return None


def secret_key(state_directory: Path) -> bytes:
    """The key from the state folder; where that cannot be used, one of this bridge's alone.

    A run must not fail for want of a file, and a key that others could have written must not open anything.
    """
    try:
        return state_folder.shared_key(state_directory)
    except InvalidSetting as error:
        logger.warning("No task or form outlives this bridge: %s", error)
        return secrets.token_bytes(state_folder.KEY_BYTES)

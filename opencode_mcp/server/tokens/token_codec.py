"""Encrypt and authenticate data that clients return to the bridge: task ids, and the state of a repeated call.

The key is stored in the state folder or in a file that the operator names, so that tokens stay valid after a restart
of the bridge. It is read or created at the first use.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState

from opencode_mcp.disk import state_folder
from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.text.json_values import as_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.text.json_types import JsonMap

KIND_FIELD = "is"
"""Field of the data that tells tokens for different purposes apart, since all are made with the same key."""
NEW_KEY = "`openssl rand -hex 32` makes a key."
MOST_KEY_BYTES = 64 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO

logger = logging.getLogger(__name__)


class TokenCodec:
    """``RequestStateCodec`` of the SDK that loads its key at the first use.

    Args:
        state_directory: Directory that holds the key.
        owner: Principal whose tokens these are. Those of another owner cannot be decrypted.
        key_file: File with the key that several bridges share; empty: the key is in the state folder.
    """

    def __init__(self, state_directory: Path, owner: str = "", key_file: str = "") -> None:
        self._state_directory = state_directory
        self._owner = owner
        self._key_file = key_file

    @cached_property
    def _codec(self) -> AESGCMRequestStateCodec:
        key = key_in(self._key_file) if self._key_file else secret_key(self._state_directory)
        return AESGCMRequestStateCodec([key_of(key, self._owner) if self._owner else key])

    def seal(self, payload: bytes) -> str:
        """Return an opaque token that only this key decrypts."""
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """Return the payload of a token.

        Raises:
            InvalidRequestState: The token was not made with this key, or was changed.
        """
        return self._codec.unseal(token)

    def unseal_or_none(self, token: str) -> bytes | None:
        """Return the payload of a token; ``None`` if the token was not made with this key, or was changed."""
        try:
            return self.unseal(token)
        except InvalidRequestState:
            return None

    def seal_data(self, kind: str, data: "Mapping[str, object]") -> str:
        """Return an opaque token with some data, which only ``unseal_data`` for the same kind of token reads."""
        return self.seal(json.dumps({KIND_FIELD: kind, **data}).encode())

    def unseal_data(self, kind: str, token: str) -> "JsonMap | None":
        """Return the data of a token; ``None`` if it is of another kind, was not made with this key, or was changed."""
        payload = self.unseal_or_none(token)
        data = as_map(json.loads(payload)) if payload is not None else None
        return data if data is not None and data.get(KIND_FIELD) == kind else None


def secret_key(state_directory: Path) -> bytes:
    """Return the key from the state folder; if that cannot be used, a key of this process only.

    A run must not fail because of a missing file, and a key that others could have written must not be used.
    """
    try:
        return state_folder.shared_key(state_directory)
    except InvalidSetting as error:
        logger.warning("Tasks and forms become invalid when this bridge ends: %s", error)
        return secrets.token_bytes(state_folder.KEY_BYTES)


def key_in(key_file: str) -> bytes:
    """Return the key of a file, which bridges on several machines may share.

    Raises:
        InvalidSetting: It cannot be read, is no file, others can read or replace it, or it is too short for a key.
    """
    path = Path(key_file)
    try:
        secret = read_beginning(path, MOST_KEY_BYTES, follow=True).strip()
        file, folder = path.stat(), path.resolve().parent.stat()
    except OSError as error:
        raise InvalidSetting(f"The key file {key_file} cannot be read: {error.strerror}.", hint=NEW_KEY) from error
    if not stat.S_ISREG(file.st_mode):
        raise InvalidSetting(f"The key file {key_file} is no regular file.", hint=NEW_KEY)
    _check_protected(key_file, file, folder)
    if len(secret) < state_folder.KEY_BYTES:
        raise InvalidSetting(f"The key file {key_file} has fewer than {state_folder.KEY_BYTES} bytes.", hint=NEW_KEY)
    return hashlib.sha256(secret).digest()


def _check_protected(key_file: str, file: os.stat_result, folder: os.stat_result) -> None:
    if sys.platform == "win32":
        return
    if file.st_mode & OTHERS:
        raise InvalidSetting(f"Other users can use the key file {key_file}.", hint=f"Run `chmod 600 {key_file}`.")
    if file.st_uid not in {0, os.geteuid()}:
        raise InvalidSetting(f"The key file {key_file} belongs to another user (user id {file.st_uid}).", hint=NEW_KEY)
    # In a sticky folder, such as /tmp, only the owner of a file can replace it.
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        raise InvalidSetting(
            f"Other users can replace the key file {key_file}.", hint="Run `chmod o-w` for its folder."
        )


def key_of(key: bytes, owner: str) -> bytes:
    """Return the key of one principal, which is derived from that of the state folder."""
    return hmac.digest(key, f"principal:{owner}".encode(), "sha256")

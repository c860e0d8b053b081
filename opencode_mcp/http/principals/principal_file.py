"""The principals of the settings file, read again when the file changes."""

import logging
import os
import stat
import sys
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals.principal import Principal, read_principals
from opencode_mcp.http.principals.principal_tokens import matching
from opencode_mcp.settings import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
Stamp = tuple[int, int, int]
GONE_SECONDS = 2.0
"""Time after which a file that is missing has no principals, and one that was cut is taken for complete."""


class PrincipalFile:
    """The principals as the settings file has them now.

    Args:
        path: The settings file.
        settings: The settings of the whole bridge. They do not change while it runs.

    Raises:
        InvalidSetting: The file is wrong.
    """

    def __init__(self, path: Path, settings: "Settings") -> None:
        self._path = path
        self._settings = settings
        self._stamp = stamp_of(path)
        self._missing_since = inf
        """Time since which the file is missing; endless if it is not."""
        self.principals = self._read()

    def refresh(self) -> bool:
        """Read the file if it has changed, and return True if it was read.

        A file that is wrong changes nothing: the principals stay as they were, and a line in the log says why.
        """
        stamp = stamp_of(self._path)
        if stamp is not None:
            self._missing_since = inf
        elif not self._is_gone_for_good():
            return False
        if stamp == self._stamp or self._may_be_unfinished(stamp):
            return False
        self._stamp = stamp
        try:
            self.principals = self._read()
        except InvalidSetting as error:
            logger.error("the principals stay as they were: %s", error)  # noqa: TRY400 - the operator needs no traceback
            return False
        logger.warning("the settings file was read again: %s", ", ".join(self.principals) or "there are no principals")
        return True

    def _may_be_unfinished(self, stamp: Stamp | None) -> bool:
        """Return True if the file was made shorter a moment ago: a program may be writing it in place."""
        if stamp is None or self._stamp is None:
            return False
        (changed_ns, size, file_number), (_, old_size, old_file_number) = stamp, self._stamp
        age_seconds = time.time() - changed_ns / 1e9
        return file_number == old_file_number and size < old_size and 0 <= age_seconds < GONE_SECONDS

    def _is_gone_for_good(self) -> bool:
        """Return True if the file is missing for longer than it takes an editor to replace it."""
        now = time.monotonic()
        self._missing_since = min(self._missing_since, now)
        return now - self._missing_since >= GONE_SECONDS

    def holder_of(self, token: str) -> tuple[Principal, str] | None:
        """Return the principal of a token, and the token's digest; ``None`` if nobody has it."""
        holders = {digest: one for one in self.principals.values() for digest in one.digests}
        digest = matching(token, holders)
        return (holders[digest], digest) if digest else None

    def _read(self) -> dict[str, Principal]:
        try:
            tables = read_file(self._path).get("principals", {})
        except OSError as error:
            raise InvalidSetting(f"{self._path} cannot be read: {error.strerror}.") from error
        return read_principals(cast("Mapping[str, object]", tables), self._settings)


def exposure_of(path: Path) -> str:
    """Return why others could change the file, as a sentence; empty if they cannot."""
    if sys.platform == "win32":
        return ""
    found = path.stat()
    if found.st_uid not in {0, os.geteuid()}:
        return f"{path} belongs to another user (user id {found.st_uid}), who can make principals."
    if found.st_mode & OTHERS_WRITE:
        return f"Other users can write to {path}, and so make principals: run `chmod 600 {path}`."
    return ""


def stamp_of(path: Path) -> Stamp | None:
    """Return what changes when a file does; ``None`` if there is none, or something else has its name."""
    try:
        found = os.stat(path)  # noqa: PTH116 - it is called for each request
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

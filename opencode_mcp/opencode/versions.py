"""Versions of OpenCode that the bridge supports.

Pure, and the tables of operations are not read for it. The versions are set by hand; a test compares the newest ones
with the versions that the tables were made from.
"""

import re
from collections.abc import Mapping
from typing import Literal

from opencode_mcp.errors import UnsupportedVersion

Generation = Literal[1, 2]
"""Major version of OpenCode, which decides about its HTTP API."""
NEWEST: Mapping[Generation, str] = {1: "1.18.33", 2: "2.1.2"}
"""Newest tested version of each generation: the one that its table of operations was made from."""
OLDEST = "1.14"
"""Older versions lack operations that a run needs."""
UPDATE_HINT = "Update it: `opencode upgrade`, or `npm install -g opencode-ai@latest`."
NUMBERS = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)")


def versions_tested() -> str:
    """Return the tested versions in words."""
    return f"{OLDEST} to {NEWEST[1]}"


def check_version(version: str) -> None:
    """Refuse a version that is too old; accept one without a number.

    Raises:
        UnsupportedVersion: It is older than ``OLDEST``.
    """
    if is_too_old(version):
        raise too_old(version)


def is_too_old(version: str) -> bool:
    """Return True if a version is older than ``OLDEST``; a version without a number is not."""
    numbers = _numbers(version)
    # A build from source has no release number.
    return bool(numbers) and (0, 0, 0) < numbers < _numbers(OLDEST)


def is_untested(version: str) -> bool:
    """Return True if a version is newer than the newest tested one, or has no number."""
    numbers = _numbers(version)
    return numbers <= (0, 0, 0) or numbers > _numbers(NEWEST[1])


def too_old(version: str = "") -> UnsupportedVersion:
    """Return the error for a version that is too old; the version is empty if the server does not report it."""
    named = f"This OpenCode is of version {version}" if version else f"This OpenCode is older than {OLDEST}"
    return UnsupportedVersion(f"{named}, and the bridge works with {versions_tested()}.", hint=UPDATE_HINT)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version; empty if it has none."""
    found = NUMBERS.match(version)
    return tuple(int(number or 0) for number in found.groups()) if found else ()

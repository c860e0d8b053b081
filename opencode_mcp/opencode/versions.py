"""Which versions of OpenCode the bridge works with.

Pure. The oldest is judged by hand; the newest is the one that the table of operations was made from, and that the tests
run against.
"""

import re

from opencode_mcp.errors import UnsupportedVersion
from opencode_mcp.opencode.operations.catalog import opencode_version

OLDEST = "1.14"
"""Older ones lack operations that a run needs."""
UPDATE_HINT = "Update it: `opencode upgrade`, or `npm install -g opencode-ai@latest`."
NUMBERS = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)")


def versions_tested() -> str:
    """Name the tested versions in words."""
    return f"{OLDEST} to {opencode_version()}"


def check_version(version: str) -> None:
    """Refuse a version that is too old; one that is not numbered is accepted.

    Raises:
        UnsupportedVersion: It is older than ``OLDEST``.
    """
    if is_too_old(version):
        raise too_old(version)


def is_too_old(version: str) -> bool:
    """Whether a version is older than ``OLDEST``; one that is not numbered is not."""
    numbers = _numbers(version)
    # A build from source has no release's number.
    return bool(numbers) and (0, 0, 0) < numbers < _numbers(OLDEST)


def is_untested(version: str) -> bool:
    """Whether a version is newer than the newest tested one, or not numbered."""
    numbers = _numbers(version)
    return numbers <= (0, 0, 0) or numbers > _numbers(opencode_version())


def too_old(version: str = "") -> UnsupportedVersion:
    """The error for a version that is too old; empty where it does not even say which it is."""
    named = f"This OpenCode is of version {version}" if version else f"This OpenCode is older than {OLDEST}"
    return UnsupportedVersion(f"{named}, and the bridge works with {versions_tested()}.", hint=UPDATE_HINT)


def _numbers(version: str) -> tuple[int, ...]:
    """A version's three numbers; empty where it has none."""
    found = NUMBERS.match(version)
    return tuple(int(number or 0) for number in found.groups()) if found else ()

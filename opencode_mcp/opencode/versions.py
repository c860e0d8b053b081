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
OLDEST_TESTED = "1.14.34"
"""Oldest version of generation 1 that the tests run."""
OLDEST_2 = "2.0"
"""Oldest version of generation 2: every version before it is a preview with another API."""
TESTED: Mapping[Generation, str] = {
    1: f"OpenCode {OLDEST_TESTED} to {NEWEST[1]}",
    2: f"the published API of OpenCode {NEWEST[2]}, not with a released OpenCode 2",
}
"""Tested versions of each generation in words."""
UPDATE_HINT = "Update it: `opencode upgrade`, or `npm install -g opencode-ai@latest`."
PREVIEW_HINT = "Install a release: https://opencode.ai has the installer, and the npm package is `@opencode/cli`."
NUMBERS = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)")
PREVIEW = re.compile(r"v?0\.0\.0-next\b")
"""Beginning of the version of a preview of OpenCode 2, whose API differs from that of the release."""
PRINTED = re.compile(r"(?P<name>opencode2?\s+)?(?P<version>v?\d{1,6}\..*)", re.DOTALL)
"""First line of ``opencode --version``: version 1 prints the number only, version 2 also with a name before it."""


def versions_supported() -> str:
    """Return the supported versions of both generations in words, although no released OpenCode 2 was tested."""
    return f"{OLDEST} to {NEWEST[1]} and {OLDEST_2} to {NEWEST[2]}"


def describe_tested(version: str, generation: Generation) -> str:
    """Return in words which versions of a generation were tested, and whether a version is newer than these."""
    tested = TESTED[generation]
    return f"{tested}; this one is newer" if is_untested(version, generation) else tested


def check_version(version: str) -> None:
    """Refuse a version that is too old; accept one without a number.

    Raises:
        UnsupportedVersion: It is older than ``OLDEST``, or a preview of OpenCode 2.
    """
    if PREVIEW.match(version):
        raise preview(version)
    if is_too_old(version):
        raise too_old(version)


def is_too_old(version: str) -> bool:
    """Return True if a version is older than ``OLDEST``; a version without a number is not."""
    numbers = _numbers(version)
    # A build from source has no release number.
    return bool(numbers) and (0, 0, 0) < numbers < _numbers(OLDEST)


def is_untested(version: str, generation: Generation) -> bool:
    """Return True if a version is newer than the newest tested one of its generation, or has no number."""
    numbers = _numbers(version)
    return numbers <= (0, 0, 0) or numbers > _numbers(NEWEST[generation])


def too_old(version: str = "") -> UnsupportedVersion:
    """Return the error for a version that is too old; the version is empty if the server does not report it."""
    named = f"This OpenCode is of version {version}" if version else f"This OpenCode is older than {OLDEST}"
    return UnsupportedVersion(f"{named}, and opencode-mcp works with {versions_supported()}.", hint=UPDATE_HINT)


def preview(version: str) -> UnsupportedVersion:
    """Return the error for a preview of OpenCode 2."""
    text = f"This OpenCode ({version}) is a preview of OpenCode 2, from before its release, with another API."
    return UnsupportedVersion(f"{text} opencode-mcp works with {versions_supported()}.", hint=PREVIEW_HINT)


def is_generation_1(version: str) -> bool:
    """Return True if a version has the number of a release of OpenCode 1, or of an older one."""
    return (0, 0, 0) < _numbers(version) < _numbers(OLDEST_2)


def printed_version(line: str) -> tuple[Generation, str]:
    """Return the generation and the version that the output of ``opencode --version`` names.

    A version without a number belongs to a build from source. Only OpenCode 2 prints a name before such a version.
    """
    found = PRINTED.fullmatch(line.strip())
    if not found:
        return 1, line.strip()
    version = found["version"].removeprefix("v")
    named_build = bool(found["name"]) and not _numbers(version) > (0, 0, 0)
    return (2 if named_build or _numbers(version) >= _numbers(OLDEST_2) else 1), version


def _numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version; empty if it has none."""
    found = NUMBERS.match(version)
    return tuple(int(number or 0) for number in found.groups()) if found else ()

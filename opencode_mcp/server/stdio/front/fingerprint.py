"""Digest of everything that determines the first responses besides the requests themselves.

A saved response is used only by a process with the same digest: the same code of the bridge (name, size and time of
change of each file, so an edited checkout never uses an old response), the same installed packages beside the SDK, the
same Python, and the same values of those settings that select tools.
"""

import json
import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import opencode_mcp

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

SDK = "mcp"
CACHE = "__pycache__"
INSTALLED = ".dist-info"
"""Suffix of the folder whose name tells the name and the version of an installed package."""


def fingerprint_of(settings: "Settings") -> str:
    """Return the digest for this process.

    Raises:
        OSError: The files of the package or the SDK cannot be listed, as in an archive.
    """
    decisive = {
        "bridge": opencode_mcp.__version__,
        "code": list(_files(os.path.dirname(opencode_mcp.__file__))),  # noqa: PTH120 - pathlib is slower, and each start pays for it
        "packages": _installed_packages(),
        # Without docstrings (-OO) the tools have no descriptions.
        "python": [sys.version, sys.implementation.name, sys.flags.optimize],
        "settings": [settings.toolsets, settings.read_only, settings.allow, settings.deny],
    }
    return sha256(json.dumps(decisive).encode()).hexdigest()


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield the path, the size and the time of change of each file below a folder."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.is_dir():
            if entry.name != CACHE:
                yield from _files(entry.path)
        else:
            found = entry.stat()
            yield entry.path, found.st_size, found.st_mtime_ns


def _installed_packages() -> list[str]:
    """Return the names and versions of the packages in the folder in which the SDK is installed."""
    found = PathFinder.find_spec(SDK)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(SDK)
    folder = os.path.dirname(next(iter(found.submodule_search_locations)))  # noqa: PTH120 - as above
    return sorted(name for name in os.listdir(folder) if name.endswith(INSTALLED))  # noqa: PTH208 - as above

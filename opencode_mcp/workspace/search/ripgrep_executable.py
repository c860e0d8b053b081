"""Find the executable of ripgrep; uses only the standard library, because the doctor checks broken installations."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from opencode_mcp.processes.search_path import search_folders

NAME = "rg.exe" if sys.platform == "win32" else "rg"


def find_ripgrep(environment: Mapping[str, str]) -> Path | None:
    """Find the executable as OpenCode does: along ``PATH``, beside our Python, among OpenCode's downloads."""
    for folder in _folders(environment):
        path = folder / NAME
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    yield from search_folders(environment)
    yield Path(sys.executable).parent
    cache = environment.get("XDG_CACHE_HOME")
    home = environment.get("USERPROFILE" if sys.platform == "win32" else "HOME")
    if cache or home:
        yield (Path(cache) if cache else Path(home or "", ".cache")) / "opencode" / "bin"

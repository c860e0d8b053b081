"""Search for settings files of a project that are no JSON, which OpenCode 2 does not report."""

import re
from collections.abc import Iterator
from pathlib import Path

from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.text.jsonc import read_jsonc
from opencode_mcp.workspace.configuration.definitions import CONFIG_NAMES, LARGEST_FILE_BYTES

INSERTED = re.compile(r"\{(?:env|file):[^{}]*\}")
"""Place at which OpenCode inserts a variable or a file before it parses the text."""


def unreadable_settings(directory: Path) -> Iterator[Path]:
    """Yield the settings files of a directory that are no JSON, even with comments. Reads files and may block."""
    for folder in (directory, directory / ".opencode"):
        for path in (folder / name for name in CONFIG_NAMES):
            if _is_unreadable(path):
                yield path


def _is_unreadable(path: Path) -> bool:
    try:
        text = read_beginning(path, LARGEST_FILE_BYTES + 1, follow=True).decode("utf-8-sig")
    except OSError:
        return False  # There is none, or OpenCode alone may read it.
    except UnicodeDecodeError:
        return True
    if not text.strip() or len(text) > LARGEST_FILE_BYTES:
        return False
    try:
        read_jsonc(INSERTED.sub("0", text))
    except ValueError:
        return True
    return False

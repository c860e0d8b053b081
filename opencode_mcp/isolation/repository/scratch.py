"""Temporary folder for files of git's that belong to no checkout, such as copies of an index."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from opencode_mcp.disk.full_disk import space_hint
from opencode_mcp.errors import GitFailed


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Make a folder for the length of the block.

    Raises:
        GitFailed: It cannot be made.
    """
    try:
        scratch = tempfile.TemporaryDirectory(prefix="opencode-mcp-")
    except OSError as error:
        message = f"No temporary folder can be made: {error.strerror or error}."
        raise GitFailed(message, hint=space_hint(message, ())) from error
    with scratch as folder:
        yield Path(folder)


def copy_index(source: Path, target: Path) -> None:
    """Copy an index, if there is one, with its time: by that, git knows which files may have changed since.

    Raises:
        GitFailed: It cannot be copied.
    """
    try:
        if source.exists():
            shutil.copy2(source, target)
    except OSError as error:
        message = f"{source} cannot be copied: {error.strerror or error}."
        raise GitFailed(message, hint=space_hint(message, ())) from error

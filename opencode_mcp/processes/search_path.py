"""Search for programs on the ``PATH`` of an environment.

Relative entries are left out: they would run whatever file of that name a project contains. The module uses only the
standard library, because the doctor checks broken installations.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def search_folders(environment: Mapping[str, str]) -> list[Path]:
    """Return the folders of ``PATH`` that are absolute, in their order."""
    folders = map(Path, environment.get("PATH", "").split(os.pathsep))
    return [folder for folder in folders if folder.is_absolute()]


def find_git(environment: Mapping[str, str]) -> str | None:
    """Return the path of git; ``None`` if ``PATH`` has none."""
    folders = search_folders(environment)
    return shutil.which("git", path=os.pathsep.join(map(str, folders))) if folders else None

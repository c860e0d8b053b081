"""A folder inside a project: the project is what OpenCode opens, the folder is where a caller looks."""

import posixpath
from typing import NamedTuple


class Place(NamedTuple):
    """A folder inside a project."""

    project: str
    """Absolute path of the project, a listed directory."""
    folder: str = "."
    """Path of the folder relative to it, with slashes."""

    @property
    def path(self) -> str:
        """The folder's own path, for a person to read."""
        return self.project if self.folder == "." else posixpath.join(self.project, self.folder)

    def within(self, path: str) -> str:
        """How a path that is relative to the project reads from this folder."""
        return posixpath.relpath(path, self.folder)

    def beyond(self, path: str) -> str:
        """How a path that is relative to this folder reads from the project."""
        return posixpath.normpath(posixpath.join(self.folder, path))

    def holds(self, path: str) -> bool:
        """Whether a path that is relative to the project is in this folder."""
        return self.folder == "." or path.startswith(f"{self.folder}/")

"""Folder inside a project: OpenCode opens the project, and a caller works in the folder."""

import posixpath
from typing import NamedTuple


class ProjectFolder(NamedTuple):
    """Folder inside a project."""

    project: str
    """Absolute path of the project, a listed directory."""
    folder: str = "."
    """Path of the folder relative to it, with slashes."""

    @property
    def path(self) -> str:
        """Return the folder's own path, for display."""
        return self.project if self.folder == "." else posixpath.join(self.project, self.folder)

    def within(self, path: str) -> str:
        """Return a path relative to this folder for one relative to the project."""
        if self.folder == ".":
            return posixpath.normpath(path)
        # As absolute paths: for relative ones, posixpath asks for the working directory.
        return posixpath.relpath(f"/{path}", f"/{self.folder}")

    def beyond(self, path: str) -> str:
        """Return a path relative to the project for one relative to this folder."""
        return posixpath.normpath(posixpath.join(self.folder, path))

    def holds(self, path: str) -> bool:
        """Return True if a path that is relative to the project is in this folder."""
        return self.folder == "." or path.startswith(f"{self.folder}/")

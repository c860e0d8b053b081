"""Paths of OpenCode's machine, which are compared as text: nothing here looks at a disk."""

import posixpath
from pathlib import PurePath, PurePosixPath, PureWindowsPath


def remote_path(name: str) -> PurePath:
    """Return a name as a path of OpenCode's machine, of whichever system that is."""
    return PureWindowsPath(name) if PureWindowsPath(name).drive else PurePosixPath(name)


def normalized(path: PurePath) -> PurePath:
    """Return a path without dots: a pure path keeps ``..``, and would seem to be inside."""
    return type(path)(posixpath.normpath(path.as_posix()))

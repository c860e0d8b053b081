"""Directories that the operator listed: by name, or by a pattern such as ``/home/me/projects/*``.

Each listed directory is a project of OpenCode's own. A folder below one belongs to that project and is not a
project: OpenCode would load its configuration and plugins, which run code.
"""

import os
import shlex
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path, PurePath
from typing import NamedTuple

from opencode_mcp.errors import InvalidArgument, InvalidSetting, SettingsChange
from opencode_mcp.isolation.worktree_records import Records, Worktree
from opencode_mcp.options import has_wildcard
from opencode_mcp.remote_isolation.remote_paths import normalized, remote_path
from opencode_mcp.settings import Settings

PARSED_PATHS = 1000
"""Most paths that are kept in parsed form, since each call compares its path with the listed ones."""


class Pattern(NamedTuple):
    """Listed pattern: a folder, and a pattern for the names at each level below it."""

    base: PurePath
    names: tuple[str, ...]

    def fits(self, path: PurePath) -> bool:
        """Return True if the pattern lists a resolved path."""
        if not path.is_relative_to(self.base):
            return False
        parts = path.relative_to(self.base).parts
        return len(parts) == len(self.names) and all(map(name_fits, parts, self.names))

    def __str__(self) -> str:
        return str(self.base.joinpath(*self.names))


class Roots:
    """Finds out if a directory is a project, and in which project a path is. Compares resolved paths and opens nothing.

    An isolated worktree of a listed project counts as listed, too.

    Args:
        settings: ``directories`` are the listed ones; if there are none, it is the directory in which the bridge was
            started.
        records: The records of isolated worktrees; none: there are none.
    """

    def __init__(self, settings: Settings, records: Records | None = None) -> None:
        self._settings = settings
        self._is_remote = settings.remote
        self._records = records
        self._used: dict[str, None] = {}
        """Directories of patterns in which a caller worked, in order."""

    @cached_property
    def named(self) -> list[str]:
        """Return the directories that are listed by name. They are resolved once, so that no later link changes them.

        Raises:
            InvalidSetting: None is listed, and the bridge was started without a directory or in the file system's root.
        """
        settings = self._settings
        if settings.directories or self._is_remote:
            plain = [name for name in settings.directories if not self._is_pattern(name)]
            return [str(resolved(self.pure(name))) for name in plain]
        started_in = settings.started_in
        if started_in == Path(started_in.anchor) or not started_in.is_absolute():
            raise InvalidSetting(
                "No directory is allowed.",
                hint="Start this MCP server in a project, or name one with --directory.",
            )
        return [str(resolved(started_in))]

    @cached_property
    def patterns(self) -> list[Pattern]:
        """Return the listed patterns."""
        return [self._pattern(name) for name in self._settings.directories if self._is_pattern(name)]

    def default(self) -> str:
        """Return the default directory, for calls that name none.

        Raises:
            InvalidArgument: Only patterns are listed, and the bridge was not started in one of their directories.
        """
        if self.named:
            return self.named[0]
        started_in = str(resolved(self._settings.started_in)) if not self._is_remote else ""
        if started_in and self.lists(self.pure(started_in)):
            return started_in
        raise InvalidArgument(
            "No directory is named, and there is no default.",
            hint=f"Give `directory`: an absolute path that fits {self.described()}.",
        )

    def lists(self, path: PurePath) -> bool:
        """Return True if a resolved path is a listed directory, or an isolated worktree of one."""
        if self._is_listed(path):
            return True
        worktree = self.worktree(path)
        return worktree is not None and not worktree.removed and self.lists_project_of(worktree)

    def lists_sessions_of(self, path: PurePath) -> bool:
        """Return True for the same, and for an isolated worktree that was removed: its sessions are still there."""
        if self._is_listed(path):
            return True
        worktree = self.worktree(path)
        return worktree is not None and self.lists_project_of(worktree)

    def lists_project_of(self, worktree: Worktree) -> bool:
        """Return True if the project of an isolated worktree is listed."""
        return self._is_listed(resolved(self.pure(worktree.project)))

    def worktree(self, path: PurePath) -> Worktree | None:
        """Return the isolated worktree that a resolved path is the directory of."""
        return self._records.of_directory(path) if self._records else None

    def _is_listed(self, path: PurePath) -> bool:
        return any(path == self.pure(name) for name in self.named) or any(one.fits(path) for one in self.patterns)

    def holding(self, path: PurePath) -> str:
        """Return the nearest listed directory that contains a resolved path; empty if none does."""
        return next((str(place) for place in (path, *path.parents) if self.lists(place)), "")

    def use(self, directory: str) -> None:
        """Remember that a caller works in a directory of a pattern, or in an isolated worktree of one."""
        if directory in self.named:
            return
        if worktree := self.worktree(self.pure(directory)):
            directory = str(resolved(self.pure(worktree.project)))
        if directory not in self.named:
            self._used[directory] = None

    def in_use(self) -> list[str]:
        """Return the directories that may be in use: those listed by name, and those of patterns that were used."""
        return [*self.named, *self._used]

    def every(self) -> list[str]:
        """Return all existing directories that are listed or match a pattern; on another machine, only used matches."""
        if self._is_remote:
            return self.in_use()
        found = (str(path) for pattern in self.patterns for path in _filled(Path(pattern.base), pattern.names))
        return list(dict.fromkeys([*self.named, *found]))

    def with_directory(self, directory: str) -> SettingsChange:
        """Return the change that lists one more directory; flags replace what the other settings list."""
        kept = [] if "directories" in self._settings.flags else [*self.named, *map(str, self.patterns)]
        return SettingsChange(_flags([*kept, directory]), missing=_flags([directory]))

    def described(self) -> str:
        """Return the listed directories and patterns, for an error's hint."""
        return ", ".join([*self.named, *map(str, self.patterns)])

    def pure(self, name: str) -> PurePath:
        """Return a name as a path of OpenCode's machine."""
        return _parsed(name, remote=self._is_remote)

    def _is_pattern(self, name: str) -> bool:
        # A folder's own name may contain such characters.
        return has_wildcard(name) and (self._is_remote or not Path(name).is_dir())

    def _pattern(self, name: str) -> Pattern:
        parts = self.pure(name).parts
        first = next(index for index, part in enumerate(parts) if has_wildcard(part))
        return Pattern(resolved(type(self.pure(name))(*parts[:first])), parts[first:])


@lru_cache(PARSED_PATHS)
def _parsed(name: str, *, remote: bool) -> PurePath:
    return remote_path(name) if remote else Path(name)


def resolved(path: PurePath) -> PurePath:
    """Return a path without dots, and on this machine without links."""
    if isinstance(path, Path):
        # ``Path.resolve`` does the same, but checks the result once more, and fails if links form a cycle.
        return Path(os.path.realpath(path)) if path.is_absolute() else path
    return normalized(path)


def name_fits(name: str, pattern: str) -> bool:
    """Return True if a folder's name fits a part of a pattern; a hidden one only if the pattern begins with a dot."""
    hidden = name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatchcase(name, pattern)


def _filled(base: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders that a pattern lists; links are left out, since they may lead anywhere."""
    if not names:
        yield base
        return
    try:
        with os.scandir(base) as entries:
            found = sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in found:
        if name_fits(name, names[0]):
            yield from _filled(base / name, names[1:])


def _flags(directories: Iterable[str]) -> str:
    """Return the flags that list some directories."""
    return " ".join(f"--directory {shlex.quote(name)}" for name in directories)

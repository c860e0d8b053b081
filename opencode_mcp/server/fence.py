"""Where callers may work: the allowed directories, and what may be named inside them.

Paths are resolved on the bridge's own disk, links included. Where OpenCode runs on another machine that disk is not the
bridge's: then paths are compared as text, and OpenCode is asked whether they exist.
"""

import os
import posixpath
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from opencode_mcp.config import Settings
from opencode_mcp.errors import BackendFailed, InvalidArgument, InvalidSetting, NotAllowed, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.closest import closest
from opencode_mcp.opencode.models import Session

SESSION_PREFIX = "ses"


class Fence:
    """Checks every directory, file and session that a caller names.

    Args:
        settings: ``directories`` are the allowed ones; none: the directory that the bridge was started in.
        client: Tells what exists on OpenCode's machine.
    """

    def __init__(self, settings: Settings, client: OpenCodeClient) -> None:
        self._settings = settings
        self._client = client

    async def roots(self) -> list[str]:
        """The allowed directories; the first is the default.

        Raises:
            InvalidSetting: None was named, and the bridge was started in the root of the file system.
        """
        if self._settings.remote:
            return list(self._settings.directories) or [(await self._client.path()).directory]
        return self._local_roots

    @cached_property
    def _local_roots(self) -> list[str]:
        named = [Path(path).resolve() for path in self._settings.directories]
        started_in = Path.cwd()
        if not named and started_in == Path(started_in.anchor):
            raise InvalidSetting(
                "No directory is allowed.", hint="Start the bridge in a project, or name one with --directory."
            )
        return [str(path) for path in named or [started_in]]

    async def directory(self, name: str = "") -> str:
        """The absolute path of a directory that a caller named, or the default.

        Raises:
            InvalidArgument: It is relative.
            NotAllowed: It is outside the allowed directories.
            NotFound: It does not exist.
        """
        roots = await self.roots()
        if not name:
            return roots[0]
        path = self._resolve(name)
        if not path.is_absolute():
            raise InvalidArgument(f"The directory {name!r} is relative.", hint=f"Give an absolute path in {roots[0]}.")
        self._check_inside(path, roots, f"The directory {name!r}")
        if not await self._is_directory(path):
            raise NotFound(f"There is no directory {name!r}.", hint=_neighbours(path))
        return str(path)

    async def file(self, directory: str, name: str) -> str:
        """The absolute path of a file or folder of a project, existing or not; ``name`` may be relative to it.

        Raises:
            InvalidArgument: It names nothing.
            NotAllowed: It is outside the project.
        """
        return str(self._in_project(directory, name))

    async def relative(self, directory: str, name: str) -> str:
        """The path of a file or folder relative to its project, with slashes; raises what ``file`` raises."""
        return self._in_project(directory, name).relative_to(directory).as_posix()

    async def existing_file(self, directory: str, name: str) -> str:
        """The same for one that exists; the path of a folder ends in a slash.

        Raises:
            NotFound: It does not exist; the hint names its neighbours.
        """
        path = Path(await self.file(directory, name))
        if self._settings.remote:
            return str(path)
        if not path.exists():
            raise NotFound(f"There is no file {name!r} in {directory}.", hint=_neighbours(path))
        return f"{path}/" if path.is_dir() else str(path)

    async def session(self, session_id: str) -> Session:
        """The session that a caller named (``session.get``).

        Raises:
            NotFound: There is none of that id.
            NotAllowed: It works in a directory that is not allowed.
        """
        hint = "opencode_list_sessions lists those that there are."
        if not session_id.startswith(SESSION_PREFIX):
            raise NotFound(f"{session_id!r} is not a session id.", hint=f"They begin with {SESSION_PREFIX!r}: {hint}")
        try:
            session = await self._client.session_get(session_id)
        except NotFound as error:
            raise NotFound(f"There is no session {session_id!r}.", hint=hint) from error
        self._check_inside(self._resolve(session.directory), await self.roots(), f"The session {session_id!r}")
        return session

    async def allows(self, directory: str) -> bool:
        """Whether a directory is inside the fence."""
        path = self._resolve(directory)
        return any(path.is_relative_to(root) for root in await self.roots())

    def _in_project(self, directory: str, name: str) -> PurePath:
        if not name.strip() or "\0" in name:
            raise InvalidArgument(f"The path {name!r} names no file.", hint="Give a path in the project.")
        path = self._resolve(str(self._pure(directory) / name))
        self._check_inside(path, [directory], f"The path {name!r}")
        return path

    def _pure(self, name: str) -> PurePath:
        if not self._settings.remote:
            return Path(name)
        return PureWindowsPath(name) if PureWindowsPath(name).drive else PurePosixPath(name)

    def _resolve(self, name: str) -> PurePath:
        path = self._pure(name)
        if isinstance(path, Path):
            # ``Path.resolve`` does that too, but looks at the result once more, and fails where links go in circles.
            return Path(os.path.realpath(path)) if path.is_absolute() else path
        # ``..`` is taken out by hand: a pure path keeps it, and would seem to be inside.
        return type(path)(posixpath.normpath(path.as_posix()))

    def _check_inside(self, path: PurePath, roots: list[str], what: str) -> None:
        if not any(path.is_relative_to(root) for root in roots):
            raise NotAllowed(f"{what} is outside of what is allowed.", hint=f"Allowed: {', '.join(roots)}.")

    async def _is_directory(self, path: PurePath) -> bool:
        if isinstance(path, Path):
            return path.is_dir()
        try:
            await self._client.file_list(str(path), ".")
        except BackendFailed:
            return False
        return True


def _neighbours(path: PurePath) -> str:
    """Name what is near a path that does not exist."""
    parent = Path(path).parent
    if not parent.is_dir():
        return ""
    near = closest(path.name, (entry.name for entry in parent.iterdir()), count=5, cutoff=0.4)
    return f"Near it: {', '.join(sorted(near))}." if near else ""

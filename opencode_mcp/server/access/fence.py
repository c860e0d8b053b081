"""Check the directories, files and sessions that callers name against the listed directories.

Paths are resolved on the bridge's own disk, links included. If OpenCode runs on another machine, paths are compared as
text, and a request to OpenCode finds out whether they exist. A path that was checked here can change before it is used,
so code that reads a file opens it through ``disk/confined.py``.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePath

from opencode_mcp.batch_queue.tasks import PREFIX as BATCH_PREFIX
from opencode_mcp.disk.confined import list_folder
from opencode_mcp.disk.path_errors import check_path_text, path_error, path_errors, shortened
from opencode_mcp.errors import BackendFailed, BridgeError, InvalidArgument, NotAllowed, NotFound
from opencode_mcp.isolation.recorded_worktrees import removed_worktree
from opencode_mcp.isolation.worktree_records import Records, Worktree
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.server.access.allowed_directories import Roots, resolved
from opencode_mcp.server.access.session_places import SessionPlaces
from opencode_mcp.settings import Settings
from opencode_mcp.text.similar_names import suggest
from opencode_mcp.workspace.project_folder import ProjectFolder

SESSION_PREFIX = "ses"
SESSION_HINT = "opencode_list_sessions lists the existing ones."
TRUSTED = "The person must trust the directory: OpenCode runs the plugins and the configuration of each allowed one."

GONE = "which does not exist any more or is no directory"
RESTORE_OR_LEAVE = (
    "Bring the directory back, or start a new session with opencode_run. opencode_session still shows the conversation."
)


def no_place(_session_id: str) -> str:
    """Return no directory: no events are followed."""
    return ""


class Fence:
    """Checks every directory, file and session that a caller names.

    Args:
        settings: ``directories`` are the listed ones; if there are none, it is the directory in which the bridge was
            started.
        client: Finds out what exists on OpenCode's machine.
        records: The records of isolated worktrees; none: there are none.
        place_of: Returns the directory of a session that an event named; empty if none did.
    """

    def __init__(
        self,
        settings: Settings,
        client: OpenCodeClient,
        records: Records | None = None,
        place_of: Callable[[str], str] = no_place,
    ) -> None:
        self._settings = settings
        self._client = client
        self._records = records
        self._listed = Roots(settings, records)
        self._sessions = SessionPlaces(client, place_of, self.roots)

    async def roots(self) -> list[str]:
        """Return the projects in which work may go on: those listed by name, and those of patterns that were used.

        The first is the default.

        Raises:
            InvalidSetting: None was listed, and the bridge was started in the root of the file system.
        """
        return (await self._roots()).in_use()

    @property
    def has_patterns(self) -> bool:
        """Return True if directories are listed by patterns, some of which may not have been used."""
        return bool(self._listed.patterns)

    async def every_root(self) -> list[str]:
        """Return all projects that exist, those that patterns match included."""
        return (await self._roots()).every()

    async def directory(self, name: str = "") -> str:
        """Return the absolute path of a project that a caller named, or of the default project.

        Raises:
            InvalidArgument: It is relative, or no path.
            NotAllowed: It is outside of the listed directories, or a folder inside one and not listed itself.
            NotFound: It does not exist.
        """
        place = await self.place(name)
        if place.folder != ".":
            raise self._not_a_project(name, place)
        return place.project

    async def place(self, name: str = "") -> ProjectFolder:
        """Return the folder that a caller named by its absolute path, or that of the default project.

        Raises:
            InvalidArgument: It is relative, or no path.
            NotAllowed: It is outside of the listed directories.
            NotFound: It does not exist.
        """
        roots = await self._roots()
        place = self._place(name, roots) if name else ProjectFolder(str(roots.pure(roots.default())))
        await self._check_directory(name, place)
        roots.use(place.project)
        return place

    def _place(self, name: str, roots: Roots) -> ProjectFolder:
        path = self._absolute(name, roots)
        project = roots.holding(path)
        if not project:
            raise _outside(f"The directory {shortened(name)}", roots, str(path))
        return ProjectFolder(project, path.relative_to(project).as_posix())

    async def folder(self, name: str) -> str:
        """Return the absolute path of an existing folder inside a project, listed or not; raises as ``place``."""
        place = await self.place(name)
        return str(self._listed.pure(place.project) / place.folder)

    async def file(self, directory: str, name: str) -> str:
        """Return the absolute path of a file or folder of a project, existing or not; ``name`` may be relative to it.

        Raises:
            InvalidArgument: It is empty, or not a path.
            NotAllowed: It is outside the project.
        """
        return str(self._in_project(ProjectFolder(directory), name)[0])

    async def relative(self, directory: str, name: str) -> str:
        """Return the path of a file or folder relative to its project, with slashes; raises as ``file``."""
        return self.inside(ProjectFolder(directory), name)

    def inside(self, place: ProjectFolder, name: str) -> str:
        """Return the path in the project of a file that is named relative to a folder of it; raises as ``file``."""
        return self._in_project(place, name)[1].as_posix()

    async def existing_file(self, directory: str, name: str) -> str:
        """Return the absolute path of an existing file or folder of a project; that of a folder ends in a slash.

        Raises:
            NotFound: It does not exist; the hint suggests similar names.
            NotAllowed: It is outside the project, or the file system refuses access.
        """
        path, _ = self._in_project(ProjectFolder(directory), name)
        if not isinstance(path, Path):
            return str(path)
        try:
            found = path.stat()
        except (OSError, ValueError) as error:
            reported = path_error(error, name)
            if isinstance(reported, NotFound):
                reported.message = f"There is no file {shortened(name)} in {directory}."
                reported.hint = _neighbours(directory, path)
            raise reported from error
        return f"{path}/" if stat.S_ISDIR(found.st_mode) else str(path)

    async def session(self, session_id: str) -> Session:
        """Return the session that a caller named (``session.get``).

        Raises:
            NotFound: There is no session with this id; to a principal, one of another does not exist.
            NotAllowed: It works in a directory that is not listed; OpenCode did not open that directory.
        """
        if not session_id.startswith(SESSION_PREFIX):
            raise _no_session_id(session_id)
        directory = await self._sessions.find(session_id)
        if not directory:
            raise _missing_session(session_id)
        await self._check_own(session_id, directory)
        try:
            session = await self._client.session_get(session_id, directory)
        except NotFound as error:
            self._sessions.forget(session_id)
            raise _missing_session(session_id) from error
        if session.directory != directory:
            self._sessions.forget(session_id)
            await self._check_own(session_id, session.directory)
        return session

    async def check_place_of(self, session_id: str) -> None:
        """Refuse a session that is known to work outside, without opening its directory.

        Raises:
            NotAllowed: It works in a directory that is not listed.
            BackendError: The request to OpenCode failed.
        """
        directory = await self._sessions.find(session_id)
        # A principal can subscribe to a session that does not exist, and so to one of another: nothing comes.
        if directory and not self._settings.principal:
            await self._check_session(session_id, directory)

    async def allows(self, directory: str) -> bool:
        """Return True if a directory is a project in which callers may work, or was an isolated worktree of one."""
        roots = await self._roots()
        return roots.lists_sessions_of(resolved(roots.pure(directory)))

    def project_of(self, directory: str) -> str:
        """Return the project that the sessions of a directory count for: that of an isolated worktree, or itself."""
        worktree = self._listed.worktree(resolved(self._listed.pure(directory)))
        return str(resolved(self._listed.pure(worktree.project))) if worktree else directory

    def is_removed(self, directory: str) -> bool:
        """Return True if a directory was an isolated worktree that was removed."""
        worktree = self._listed.worktree(resolved(self._listed.pure(directory)))
        return worktree is not None and worktree.removed

    def leads_elsewhere(self, directory: str) -> bool:
        """Return True if there is a link to another place in the place of an isolated worktree."""
        return self._records is not None and self._records.leads_elsewhere(
            directory, resolved(self._listed.pure(directory))
        )

    async def check_files_exist(self, directory: str) -> None:
        """Refuse to work in a session whose directory does not exist any more; it can only be read and deleted.

        Raises:
            NotFound: The directory, or the isolated worktree in it, was removed, or has become a file.
        """
        worktree = self._listed.worktree(resolved(self._listed.pure(directory)))
        if worktree is not None and worktree.removed:
            raise removed_worktree(worktree)
        try:
            await self._check_directory(directory, ProjectFolder(directory))
        except NotFound as error:
            error.message = f"The session works in {shortened(directory)}, {GONE}."
            error.hint = RESTORE_OR_LEAVE
            raise

    def is_gone(self, directory: str) -> bool:
        """Return True if a directory does not exist on this machine; False if OpenCode runs on another one."""
        path = self._listed.pure(directory)
        return isinstance(path, Path) and not path.is_dir()

    def forget_session(self, session_id: str) -> None:
        """Search for a session again the next time, since it was deleted."""
        self._sessions.forget(session_id)

    async def hides(self, worktree: Worktree) -> bool:
        """Return True if an isolated worktree is of another principal: for the caller, it does not exist."""
        return bool(self._settings.principal) and not (await self._roots()).lists_project_of(worktree)

    async def check_worktree(self, worktree: Worktree) -> None:
        """Refuse an isolated worktree whose project is not listed.

        Raises:
            NotAllowed: Its project is not listed.
        """
        roots = await self._roots()
        if not roots.lists_project_of(worktree):
            raise _outside(f"The project {worktree.project} of {worktree.branch}", roots, worktree.project)

    async def allows_session(self, session_id: str) -> bool:
        """Return True if a session is known to work in a project in which callers may work; it is not opened.

        Raises:
            BackendError: The request to OpenCode failed.
        """
        directory = await self._sessions.find(session_id)
        return bool(directory) and await self.allows(directory)

    async def check_new_directory(self, name: str) -> None:
        """Check the absolute path of a directory that is still to be made.

        Raises:
            InvalidArgument: It is relative, or no path.
            NotAllowed: It is outside of the listed directories.
        """
        roots = await self._roots()
        path = self._absolute(name, roots)
        if not roots.holding(path):
            raise _outside(f"The directory {shortened(name)}", roots, str(path))

    async def is_default(self, directory: str) -> bool:
        """Return True if a project is the default one."""
        return await self.has_default() and directory == (await self._roots()).default()

    async def has_default(self) -> bool:
        """Return True if there is a default project; there may be none if only patterns are listed."""
        try:
            (await self._roots()).default()
        except InvalidArgument:
            return False
        return True

    async def _roots(self) -> Roots:
        if not self._settings.directories and self._settings.remote and not self._listed.named:
            self._listed.named.append((await self._client.path()).directory)
        return self._listed

    async def _check_own(self, session_id: str, directory: str) -> None:
        """Refuse a session in a directory that is not listed; a principal does not learn that there is one."""
        try:
            await self._check_session(session_id, directory)
        except NotAllowed as error:
            if self._settings.principal:
                raise _missing_session(session_id) from error
            raise

    async def _check_session(self, session_id: str, directory: str) -> None:
        roots = await self._roots()
        path = resolved(roots.pure(directory))
        self._check_own_worktree(directory, path)
        if roots.lists_sessions_of(path):
            roots.use(str(path))
            return
        if worktree := self._records.holding(path) if self._records else None:
            what = f"The session {session_id!r} works in an isolated worktree of {worktree.project}, which"
            raise _outside(what, roots, worktree.project)
        what = f"The session {session_id!r} works in {directory}, which"
        project = roots.holding(path)
        if project:
            raise NotAllowed(
                f"{what} is a folder of {project} and not listed itself.",
                hint=f"Work in a session of {project}.",
                change=roots.with_directory(str(path)),
                remark=TRUSTED,
            )
        raise _outside(what, roots, str(path))

    def _absolute(self, name: str, roots: Roots) -> PurePath:
        check_path_text(name, "The directory")
        path = roots.pure(name)
        if not path.is_absolute():
            raise InvalidArgument(
                f"The directory {name!r} is relative.",
                hint=f"Give an absolute path in {(roots.named or [roots.described()])[0]}.",
            )
        with path_errors(name):
            found = resolved(path)
        self._check_own_worktree(name, found)
        return found

    def _check_own_worktree(self, name: str, path: PurePath) -> None:
        """Refuse the path of an isolated worktree that leads elsewhere: an agent may have put a link in its place.

        Raises:
            NotAllowed: It does; the error does not say where it leads, so that nobody allows that place.
        """
        if self._records is not None and self._records.leads_elsewhere(name, path):
            raise NotAllowed(
                f"The isolated worktree {shortened(name)} was replaced by a link, so it is not used.",
                hint='opencode_integrate(how="discard") removes it. Start again with opencode_run(isolate=true).',
            )

    def _in_project(self, place: ProjectFolder, name: str) -> tuple[PurePath, PurePath]:
        """Return the absolute path of a file, and its path relative to the project."""
        check_path_text(name, "The path")
        if not name.strip():
            raise InvalidArgument(f"The path {name!r} names no file.", hint="Give a path in the project.")
        pure = self._listed.pure
        with path_errors(name):
            named = pure(str(pure(place.project).joinpath(place.folder, name)))
            path = resolved(named)
        try:
            return path, path.relative_to(place.project)
        except ValueError:
            by_flag = not self._settings.principal
            raise _outside_project(name, place.project, self._listed, named, by_flag=by_flag) from None

    def _not_a_project(self, name: str, place: ProjectFolder) -> NotAllowed:
        path = str(self._listed.pure(place.project) / place.folder)
        return NotAllowed(
            f"The directory {shortened(name)} is a folder of the project {place.project}, and not listed as a project.",
            hint=f"Work in {place.project} and say which folder is meant: {place.folder}.",
            change=self._listed.with_directory(path),
            remark=TRUSTED,
        )

    async def _check_directory(self, name: str, place: ProjectFolder) -> None:
        path = self._listed.pure(place.path)
        if isinstance(path, Path):
            _check_local_directory(path, name or place.project, place.project)
        elif name:
            await self._check_remote_directory(name, place.project, place.folder)

    async def _check_remote_directory(self, name: str, project: str, folder: str) -> None:
        try:
            await self._client.file_list(project, folder)
        except BackendFailed as error:
            raise NotFound(f"There is no directory {shortened(name)}.") from error


def _no_session_id(given: str) -> NotFound:
    if given.startswith(BATCH_PREFIX):
        message = f"{shortened(given)} is the id of a batch or of one of its tasks, not of a session."
        hint = f'opencode_wait(session_id="{shortened(given)}", wait_seconds=0) names them.'
    else:
        message = f"{shortened(given)} is not a session id."
        hint = f"They begin with {SESSION_PREFIX!r}: {SESSION_HINT}"
    return NotFound(message, hint=hint)


def _missing_session(session_id: str) -> NotFound:
    return NotFound(f"There is no session {shortened(session_id)}.", hint=SESSION_HINT)


def _check_local_directory(path: Path, name: str, project: str) -> None:
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reported = path_error(error, name)
        if isinstance(reported, NotFound):
            reported.message, reported.hint = f"There is no directory {shortened(name)}.", _missing_hint(path, project)
        raise reported from error
    if not stat.S_ISDIR(found.st_mode):
        raise NotFound(f"There is no directory {shortened(name)}: it is a file.", hint=_neighbours(project, path))


def _outside(what: str, roots: Roots, directory: str) -> NotAllowed:
    return NotAllowed(
        f"{what} is outside of what is allowed. Allowed: {roots.described()}.",
        change=roots.with_directory(directory),
        remark=TRUSTED,
    )


def _outside_project(name: str, project: str, roots: Roots, named: PurePath, *, by_flag: bool) -> NotAllowed:
    """Return the error for a path outside of the project of a call, which may be in another listed project.

    The error does not say where a link leads, so that nobody allows a place to which an agent has made one.

    Args:
        name: The path as the caller gave it.
        project: The project.
        roots: The listed directories.
        named: The path, whose links are not followed.
        by_flag: Whether a flag can allow its folder; the directories of a principal are in the settings file.
    """
    what, hint = f"The path {shortened(name)} is outside of what is allowed. Allowed: {project}.", "Give a path in it."
    if other := roots.holding(resolved(named)):
        return NotAllowed(what, hint=f'{hint} It is in another project: give directory="{other}".')
    path = Path(os.path.normpath(named)) if isinstance(named, Path) else resolved(named)
    folder = path.parent
    if not by_flag or folder == folder.parent or path.is_relative_to(project):
        return NotAllowed(what, hint=hint)
    # Whether the path is a folder itself is not reported, since nothing there may be read.
    risk = f"{TRUSTED} If {folder} is only a part of a project, the directory of that project is the one to allow."
    return NotAllowed(what, hint=hint, change=roots.with_directory(str(folder)), remark=risk)


def _missing_hint(path: Path, project: str) -> str:
    if str(path) != project:
        return _neighbours(project, path)
    return "It is listed, but does not exist or was removed. Calls work again once it exists."


def _neighbours(project: str, path: PurePath) -> str:
    """Suggest names for a path that does not exist in a project; nothing outside of the project is named."""
    try:
        names = list_folder(project, path.parent.relative_to(project).as_posix())
    except (BridgeError, ValueError):
        return ""
    return suggest(path.name, names)

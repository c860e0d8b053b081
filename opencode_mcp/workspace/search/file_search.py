"""Search for files and folders of a project by words of their path, or by a glob.

OpenCode's own search is not used: version 1.18.33 aborts at a query of two letters if the project contains a path of
more than 512 bytes, and anyone who writes files there can create one. So the paths are listed and ranked here. Ripgrep
lists them if OpenCode is on this machine; otherwise OpenCode lists folder by folder, up to a limit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.errors import BackendError, InvalidArgument
from opencode_mcp.workspace.globs import Globs
from opencode_mcp.workspace.search.path_ranking import PathRanking, folders_between

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileNode
    from opencode_mcp.workspace.project_folder import ProjectFolder
    from opencode_mcp.workspace.search.ripgrep import Ripgrep

GLOB = re.compile(r"[*?\[{]")
QUERY_CHARACTERS = 1000
"""Longest query, in characters."""
MOST_RANKED = 2000
"""Most paths that match words and are ranked."""
MOST_FILES = 10_000
"""Most paths that match a glob."""
MOST_FOLDERS = 500
"""Most folders that OpenCode lists for one search."""
LISTING_SECONDS = 20.0

TakePath = Callable[[str], bool]
"""Function that receives a path and returns True if more are wanted."""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Paths of a project; the path of a folder ends in a slash."""

    paths: list[str]
    complete: bool
    """True if these are all paths that match."""


class FileSearch:
    """Searches the paths of projects, except those that git ignores.

    Args:
        client: Lists folders if ripgrep cannot be used.
        ripgrep: Present if OpenCode is on this machine.
    """

    def __init__(self, client: "OpenCodeClient", ripgrep: "Ripgrep | None") -> None:
        self._client = client
        self._ripgrep = ripgrep

    async def find(self, place: "ProjectFolder", query: str, kind: str = "") -> FoundFiles:
        """Find paths by words, the best first, or by a glob, in the order of the paths.

        Args:
            place: Folder to search; the paths are relative to it.
            query: A glob if it contains ``*``, ``?``, ``[`` or ``{``; otherwise words.
            kind: ``file`` or ``directory``; empty for both.

        Raises:
            InvalidArgument: The query is too long, or is not a valid glob.
            BackendError: The paths could not be listed.
        """
        if not GLOB.search(query):
            return await self.by_words(place, query, kind)
        _check(query)
        globs = Globs([query])
        if self._ripgrep and kind != "directory":
            return await self._by_glob(self._ripgrep, place, query)
        return await self._matching(place, globs, kind)

    async def by_words(self, place: "ProjectFolder", words: str, kind: str = "") -> FoundFiles:
        """Find paths by words, whatever characters they contain; see ``find``."""
        _check(words)
        ranking = PathRanking(words, MOST_RANKED)

        def take(path: str) -> bool:
            ranking.add(path)
            return True

        complete = await self._each(place, kind, take)
        paths = ranking.best()
        return FoundFiles(paths, complete and ranking.complete)

    async def _by_glob(self, ripgrep: "Ripgrep", place: "ProjectFolder", glob: str) -> FoundFiles:
        paths: list[str] = []
        await ripgrep.files(place, glob, _collector(paths))
        return FoundFiles(paths[:MOST_FILES], complete=len(paths) <= MOST_FILES)

    async def _matching(self, place: "ProjectFolder", globs: Globs, kind: str) -> FoundFiles:
        paths: list[str] = []
        collect = _collector(paths)
        complete = await self._each(place, kind, lambda path: not globs.fit(path) or collect(path))
        return FoundFiles(sorted(paths[:MOST_FILES]), complete=complete and len(paths) <= MOST_FILES)

    async def _each(self, place: "ProjectFolder", kind: str, take: TakePath) -> bool:
        """Pass on every path of a kind until no more are wanted; return True if none was left out."""
        if self._ripgrep:
            await self._ripgrep.files(place, "", _with_folders(kind, take))
            return True
        return await _Listing(self._client, place, kind, take).run()


class _Listing:
    """Lists a project through OpenCode (``file.list``), outer folders first."""

    def __init__(self, client: "OpenCodeClient", place: "ProjectFolder", kind: str, take: TakePath) -> None:
        self._client = client
        self._place = place
        self._kind = kind
        self._take = take
        self._complete = True
        self._wanted = True

    async def run(self) -> bool:
        level = [self._place.folder]
        listed = 0
        with anyio.move_on_after(LISTING_SECONDS) as scope:
            while level and self._wanted:
                room = MOST_FOLDERS - listed
                self._complete = self._complete and len(level) <= room
                listed += len(level[:room])
                level = await self._list_level(level[:room])
        return self._complete and not scope.cancelled_caught

    async def _list_level(self, folders: list[str]) -> list[str]:
        inner: list[str] = []
        async with anyio.create_task_group() as tasks:
            for folder in folders:
                tasks.start_soon(self._list, folder, inner)
        return sorted(inner)

    async def _list(self, folder: str, inner: list[str]) -> None:
        try:
            nodes = await self._client.file_list(self._place.project, folder)
        except BackendError:
            # For instance a link that leads outside, or a name that OpenCode cannot read.
            self._complete = False
            return
        for node in nodes:
            if not node.ignored and node.name != ".git":
                self._take_node(node, inner)

    def _take_node(self, node: "FileNode", inner: list[str]) -> None:
        is_folder = node.type == "directory"
        path = node.path.replace("\\", "/").rstrip("/")
        if is_folder:
            inner.append(path)
        if self._wanted and self._kind != ("file" if is_folder else "directory"):
            self._wanted = self._take(self._place.within(path) + ("/" if is_folder else ""))


def _check(query: str) -> None:
    check_text(query, "The query")
    if len(query) > QUERY_CHARACTERS:
        raise InvalidArgument(
            f"`query` is {len(query):,} characters long.", hint=f"It may have at most {QUERY_CHARACTERS:,}."
        )


def _collector(paths: list[str]) -> TakePath:
    def take(path: str) -> bool:
        paths.append(path)
        return len(paths) <= MOST_FILES

    return take


def _with_folders(kind: str, take: TakePath) -> TakePath:
    """Wrap ``take`` for files in the order of a walk: it also gets their folders, if the kind wants them."""
    if kind == "file":
        return take
    before = ""

    def take_file(path: str) -> bool:
        nonlocal before
        folders = list(folders_between(before, path))
        before = path
        wanted = all(take(folder) for folder in folders)
        return wanted and (kind == "directory" or take(path))

    return take_file

"""Finds files and folders of a project by words of their path, or by a glob.

OpenCode's own search is not asked: 1.18.33 aborts as a whole at a query of two letters when the project holds a path of
more than 512 bytes, and anyone who writes files there can make one. So the paths are listed and ranked here: ripgrep
lists them where OpenCode is on this machine, else OpenCode lists folder by folder, up to a limit.
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
    from opencode_mcp.opencode.models import FileNode
    from opencode_mcp.workspace.place import Place
    from opencode_mcp.workspace.search.ripgrep import Ripgrep

GLOB = re.compile(r"[*?\[{]")
LONGEST_QUERY = 1000
"""Characters."""
MOST_RANKED = 2000
"""Paths that fit words, of which the best are returned."""
MOST_FILES = 10_000
"""Paths that fit a glob."""
MOST_FOLDERS = 500
"""Folders that OpenCode is asked to list."""
LISTING_SECONDS = 20.0

Take = Callable[[str], bool]
"""Takes a path, and says whether more are wanted."""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Paths of a project; a folder's ends in a slash."""

    paths: list[str]
    complete: bool
    """Whether these are all paths that fit."""


class FileSearch:
    """Searches the paths of projects. What git ignores is left out.

    Args:
        client: Lists folders where ripgrep cannot.
        ripgrep: Where it may be used: on the same machine.
    """

    def __init__(self, client: "OpenCodeClient", ripgrep: "Ripgrep | None") -> None:
        self._client = client
        self._ripgrep = ripgrep

    async def find(self, place: "Place", query: str, kind: str = "") -> FoundFiles:
        """Find paths by words, the best first; or by a glob, in order of the paths.

        Args:
            place: Where to look; the paths are relative to it.
            query: With ``*``, ``?``, ``[`` or ``{`` in it, a glob.
            kind: ``file`` or ``directory``; empty: both.

        Raises:
            InvalidArgument: The query is too long, or is not a glob.
            BackendError: The paths could not be listed.
        """
        if not GLOB.search(query):
            return await self.by_words(place, query, kind)
        _check(query)
        globs = Globs([query])
        if self._ripgrep and kind != "directory":
            return await self._by_glob(self._ripgrep, place, query)
        return await self._matching(place, globs, kind)

    async def by_words(self, place: "Place", words: str, kind: str = "") -> FoundFiles:
        """Find paths by words, whatever characters are in them; see ``find``."""
        _check(words)
        ranking = PathRanking(words, MOST_RANKED)

        def take(path: str) -> bool:
            ranking.add(path)
            return True

        complete = await self._each(place, kind, take)
        paths = ranking.best()
        return FoundFiles(paths, complete and ranking.complete)

    async def _by_glob(self, ripgrep: "Ripgrep", place: "Place", glob: str) -> FoundFiles:
        paths: list[str] = []
        await ripgrep.files(place, glob, _collector(paths))
        return FoundFiles(paths[:MOST_FILES], complete=len(paths) <= MOST_FILES)

    async def _matching(self, place: "Place", globs: Globs, kind: str) -> FoundFiles:
        paths: list[str] = []
        collect = _collector(paths)
        complete = await self._each(place, kind, lambda path: not globs.fit(path) or collect(path))
        return FoundFiles(sorted(paths[:MOST_FILES]), complete=complete and len(paths) <= MOST_FILES)

    async def _each(self, place: "Place", kind: str, take: Take) -> bool:
        """Hand over every path of a kind until enough are taken, and say whether none was left out."""
        if self._ripgrep:
            await self._ripgrep.files(place, "", _with_folders(kind, take))
            return True
        return await _Listing(self._client, place, kind, take).run()


class _Listing:
    """Lists a project through OpenCode (``file.list``), the outer folders first."""

    def __init__(self, client: "OpenCodeClient", place: "Place", kind: str, take: Take) -> None:
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
            # Such as a link that leads outside, or a name that OpenCode cannot read.
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
    if len(query) > LONGEST_QUERY:
        raise InvalidArgument(
            f"`query` is {len(query):,} characters long.", hint=f"It may have at most {LONGEST_QUERY:,}."
        )


def _collector(paths: list[str]) -> Take:
    def take(path: str) -> bool:
        paths.append(path)
        return len(paths) <= MOST_FILES

    return take


def _with_folders(kind: str, take: Take) -> Take:
    """Take files in the order of a walk, and hand over the folders on the way to them, as far as the kind wants."""
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

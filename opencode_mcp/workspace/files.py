"""Read a project's files piece by piece: from the disk if OpenCode is on this machine, otherwise through OpenCode.

OpenCode reads a whole file into memory to send it, and a file of 500 MB costs it 2 GB; the disk costs nothing. The
paths are already checked (see ``disk/confined.py``). The module knows nothing of lines.
"""

import mimetypes
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import anyio
from anyio import to_thread

from opencode_mcp.disk.confined import file_sizes, list_folder, list_small_folder, open_file
from opencode_mcp.disk.path_errors import path_errors
from opencode_mcp.errors import BackendFailed, NotFound, UnsupportedOperation

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileNode

PIECE_BYTES = 256 * 1024
SMALL_FOLDER_ENTRIES = 64
"""Most entries of a folder that is read without a thread: to change threads takes longer than to read these."""
PAGE_SUFFIXES = (".html", ".htm", ".xhtml", ".vue")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """File that is being read."""

    size: int | None
    """Size in bytes; ``None`` if OpenCode does not report it."""
    media_type: str
    """Media type by the name; empty if the name gives none."""
    pieces: AsyncIterator[bytes]


class FolderPart(Protocol):
    """Part of a folder, such as a page."""

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the entries."""
        ...


ChosenPart = TypeVar("ChosenPart", bound=FolderPart)


@dataclass(frozen=True, slots=True)
class FolderContents(Generic[ChosenPart]):
    """Part of a folder that was read."""

    part: ChosenPart
    sizes: dict[str, int] | None
    """Sizes in bytes of the files in the part; ``None`` if OpenCode does not tell them."""
    ignored: frozenset[str]
    """Names in the folder that git ignores, as far as OpenCode reports them (``file.list``)."""


class ProjectFiles:
    """Files on OpenCode's machine.

    Args:
        client: Client of OpenCode.
        remote: True if that machine may be another than the bridge's.
    """

    def __init__(self, client: "OpenCodeClient", *, remote: bool) -> None:
        self._client = client
        self._remote = remote

    @asynccontextmanager
    async def open(self, directory: str, path: str) -> AsyncGenerator[OpenFile]:
        """Open a file.

        Args:
            directory: Absolute path of the project.
            path: Path of the file, relative to the project, with slashes.

        Raises:
            NotFound: There is no such file; the path may be a folder.
            InvalidArgument: It is a pipe, a socket or a device.
            NotAllowed: The file system refuses access.
            BackendFailed: It cannot be read.
        """
        media_type = mimetypes.guess_type(path)[0] or ""
        if self._remote:
            async with self._open_remote(directory, path, media_type) as file:
                yield file
        else:
            descriptor = await to_thread.run_sync(open_file, directory, path)
            async with anyio.wrap_file(os.fdopen(descriptor, "rb")) as file:
                yield OpenFile(os.fstat(descriptor).st_size, media_type, _pieces(file, path))

    def is_folder(self, directory: str, path: str) -> bool:
        """Return True if a path in a project is a folder; False if that cannot be seen without a request."""
        if self._remote:
            return False
        return os.path.isdir(f"{directory}/{path}")  # noqa: PTH112 - ``Path.is_dir`` raises where access is refused

    async def names(self, directory: str, folder: str) -> dict[str, bool]:
        """Return the names in a folder of a project, each with True if it is a folder.

        Args:
            directory: Absolute path of the project.
            folder: Path of the folder, relative to the project, with slashes.

        Raises:
            NotFound: There is no such folder; the path may be a file.
            NotAllowed: The file system refuses access.
            BackendFailed: It cannot be read.
        """
        if not self._remote:
            return await to_thread.run_sync(list_folder, directory, folder)
        return _kinds(await self._nodes(directory, folder))

    async def folder(
        self, directory: str, path: str, choose: Callable[[dict[str, bool]], ChosenPart]
    ) -> "FolderContents[ChosenPart]":
        """Read a part of a folder.

        Args:
            directory: Absolute path of the project.
            path: Path of the folder, relative to the project, with slashes.
            choose: Returns the part for what ``names`` returns; for a large folder, it runs in a thread.

        Raises:
            BridgeError: As ``names``, or as ``choose``.
        """
        if self._remote:
            nodes = await self._nodes(directory, path)
            return FolderContents(choose(_kinds(nodes)), None, _ignored(nodes))
        found = list_small_folder(directory, path, SMALL_FOLDER_ENTRIES)
        if found is None:
            part, sizes = await to_thread.run_sync(_read_large, directory, path, choose)
        else:
            part = choose(found)
            sizes = file_sizes(directory, path, part.names)
        try:
            nodes = await self._client.file_list(directory, path)
        except (BackendFailed, NotFound):
            nodes = []
        return FolderContents(part, sizes, _ignored(nodes))

    async def _nodes(self, directory: str, folder: str) -> "list[FileNode]":
        try:
            return await self._client.file_list(directory, folder)
        except BackendFailed as error:
            raise NotFound(f"There is no folder {folder!r} in {directory}.") from error

    @asynccontextmanager
    async def _open_remote(self, directory: str, path: str, media_type: str) -> AsyncGenerator[OpenFile]:
        async with AsyncExitStack() as stack:
            try:
                body = await stack.enter_async_context(self._client.file_bytes(directory, path))
            except BackendFailed as error:
                raise NotFound(f"There is no file {path!r} in {directory}.") from error
            # An unknown route answers with the page of the web app.
            if body.media_type == "text/html" and not path.lower().endswith(PAGE_SUFFIXES):
                raise UnsupportedOperation("This OpenCode cannot send unchanged files.", hint="Upgrade it.")
            yield OpenFile(None, media_type or body.media_type, body.chunks)


def _kinds(nodes: "Iterable[FileNode]") -> dict[str, bool]:
    return {node.name: node.type == "directory" for node in nodes}


def _ignored(nodes: "Iterable[FileNode]") -> frozenset[str]:
    return frozenset(node.name for node in nodes if node.ignored)


def _read_large(
    directory: str, path: str, choose: Callable[[dict[str, bool]], ChosenPart]
) -> tuple[ChosenPart, dict[str, int]]:
    part = choose(list_folder(directory, path))
    return part, file_sizes(directory, path, part.names)


async def _pieces(file: "anyio.AsyncFile[bytes]", path: str) -> AsyncGenerator[bytes]:
    while True:
        with path_errors(path):
            piece = await file.read(PIECE_BYTES)
        if not piece:
            return
        yield piece

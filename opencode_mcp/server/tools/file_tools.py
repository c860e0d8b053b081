"""Tool that reads files and lists folders of a project."""

import base64
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

from mcp_types import CallToolResult, ImageContent
from pydantic import Field

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.server import similar_paths
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.resources.links import file_link
from opencode_mcp.server.results.paging import PAGE_BYTES, page_of, size_text
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import FILE_TEXTS
from opencode_mcp.text.outside_text import beginning
from opencode_mcp.text.quantities import quantity
from opencode_mcp.workspace import attachments, file_scan, image_checks, line_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcp_types import ResourceLink

    from opencode_mcp.workspace.file_scan import FileScan
    from opencode_mcp.workspace.line_window import LineWindow
    from opencode_mcp.workspace.project_folder import ProjectFolder

LINE_WIDTH = 2000
FACTS_BYTES = 16
"""Bytes that a page of a folder contains for each entry besides its name."""
GIT = ".git"


class FolderPage(NamedTuple):
    """One page of a folder's entries."""

    names: list[str]
    """Names, those of folders with a slash at the end."""
    total: int
    """Number of entries of the whole folder."""
    cursor: str
    """Cursor of the next page; empty for the last one."""


Directory = Annotated[str, Field(description="Allowed; else the first")]
Cursor = Annotated[str, Field(description="From the page before")]


# No output schema: several hosts show a model the structured content alone, and an image has none.
@tool(
    title="Read a file",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    texts=FILE_TEXTS,
    long_results=True,
)
async def opencode_read_file(
    ctx: BridgeContext,
    *,
    path: Annotated[str, Field(description="In the project; . is its folder")],
    directory: Directory = "",
    first: Annotated[int, Field(ge=1, description="First line")] = 1,
    lines: Annotated[int, Field(ge=1, le=5000, description="Most lines, or entries of a folder")] = 500,
    cursor: Annotated[str, Field(description="Next page of a folder")] = "",
) -> CallToolResult:
    """Read a file of a project: text by numbered lines, images as they are. Or list a folder, with sizes.

    Use it for a quick look.
    """
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    relative = bridge.fence.inside(place, path)
    if bridge.files.is_folder(place.project, relative):
        return await _list(bridge, place, relative, lines, cursor)
    window = line_window.LineWindow(first, lines, LINE_WIDTH, PAGE_BYTES)
    try:
        async with bridge.files.open(place.project, relative) as file:
            _check_no_page(cursor)
            seen = await file_scan.scan_file(file, window, attachments.LARGEST_IMAGE_BYTES)
    except NotFound:
        return await _list(bridge, place, relative, lines, cursor)
    link = await file_link(bridge, place.project, relative, seen.media_type, file.size)
    shown = place.within(relative)
    if seen.is_text:
        return _text(shown, window, seen, link)
    return _data(shown, seen, file.size or seen.size, link)


def _check_no_page(cursor: str) -> None:
    if cursor:
        raise InvalidArgument("`cursor` is for folders, and this is a file.", hint="Use `first` to read on in a file.")


async def _list(bridge: Bridge, place: "ProjectFolder", path: str, limit: int, cursor: str) -> CallToolResult:
    """List a folder.

    Raises:
        NotFound: There is no such folder, and no such file either.
    """
    page, sizes, ignored = await _page(bridge, place.project, path, limit, cursor)
    shown = place.within(path)
    lines = [_entry(name, sizes or {}, is_ignored=name in ignored) for name in page.names]
    data = {
        "path": shown,
        "entries": page.names,
        "sizes": [sizes.get(name) for name in page.names] if sizes is not None else [],
        "ignored": ignored,
        "total": page.total,
        "cursor": page.cursor,
    }
    return result("\n".join([*lines, _summary(shown, page, has_sizes=sizes is not None)]), data)


async def _page(
    bridge: Bridge, directory: str, path: str, limit: int, cursor: str
) -> "tuple[FolderPage, Mapping[str, int] | None, Sequence[str]]":
    """Return the entries of a page, the sizes of the files and the entries that git ignores; raises as ``_list``."""
    try:
        contents = await bridge.files.folder(directory, path, partial(_page_of, limit, cursor))
    except NotFound:
        near = await similar_paths.suggest_files(bridge, directory, path)
        raise NotFound(f"There is no file or folder {path!r} in {directory}.", hint=near) from None
    page = contents.part
    return page, contents.sizes, [name for name in page.names if name.removesuffix("/") in contents.ignored]


def _page_of(limit: int, cursor: str, found: "Mapping[str, bool]") -> FolderPage:
    """Return a page of the entries of a folder, each of which has True if it is a folder itself."""
    names = sorted((_name(name, is_folder) for name, is_folder in found.items() if name != GIT), key=_folders_first)
    page, cursor = page_of(names, limit, cursor, key=_folders_first, beside=FACTS_BYTES)
    return FolderPage(page, len(names), cursor)


def _entry(name: str, sizes: "Mapping[str, int]", *, is_ignored: bool) -> str:
    size = f"  {size_text(sizes[name])}" if name in sizes else ""
    return f"{beginning(name)}{size}{' (ignored by git)' if is_ignored else ''}"


def _summary(path: str, page: FolderPage, *, has_sizes: bool) -> str:
    """Return what the list of a folder's entries does not say by itself."""
    entries = quantity(page.total, "entry", "entries") if page.total else f"{beginning(path)} is an empty folder"
    left_out = ".git and links" if has_sizes else ".git"
    more = f' More with cursor="{page.cursor}".' if page.cursor else ""
    return f"{entries}; hidden and ignored ones are included, {left_out} left out.{more}"


def _name(name: str, is_folder: bool) -> str:  # noqa: FBT001 - what a name stands for
    return f"{name}/" if is_folder else name


def _folders_first(name: str) -> tuple[bool, str]:
    return not name.endswith("/"), name


def _text(path: str, window: "LineWindow", seen: "FileScan", link: "ResourceLink | None") -> CallToolResult:
    if seen.lines == 0:
        return result(f"{beginning(path)} is empty.", {"path": path, "lines": 0, "text": ""})
    if not window.lines:
        raise InvalidArgument(f"{beginning(path)} has {seen.lines} lines: there is no line {window.first}.")
    text = "\n".join(f"{number:>6}  {line}" for number, line in enumerate(window.lines, window.first))
    notes = [
        _go_on(window, seen),
        "Some of it is not UTF-8 and shown as \ufffd." if seen.spoiled else "",
    ]
    note = " ".join(filter(None, notes))
    data = {"path": path, "lines": seen.lines, "first": window.first, "last": window.last, "text": text, "note": note}
    kept = {key: value for key, value in data.items() if value not in (None, "")}
    more = link if window.last != seen.lines else None
    return result("\n".join(filter(None, [text, note])), kept, more, verbatim=True)


def _go_on(window: "LineWindow", seen: "FileScan") -> str:
    if window.last == seen.lines:
        return f"(end of file: {seen.lines:,} lines)" if window.first > 1 and not window.full else ""
    count = f"It has {seen.lines} lines" if seen.lines else f"It has more than {window.line_ends} lines"
    return f"{count}; go on with first={window.last + 1}."


def _data(path: str, seen: "FileScan", size: int, link: "ResourceLink | None") -> CallToolResult:
    at_least = "" if seen.whole else "more than " if size == seen.size else ""
    what = f"{beginning(path)} is not a text: {seen.media_type}, {at_least}{size_text(size)}."
    problem = _why_not_shown(seen)
    if problem:
        what = f"{what} {problem}".rstrip() if seen.media_type.startswith("image/") else what
        data = {"path": path, "media_type": seen.media_type, "size": size, "note": what}
        return result(what, data, link)
    image = ImageContent(type="image", data=base64.b64encode(seen.data).decode(), mime_type=seen.media_type)
    return result(f"{beginning(path)} ({seen.media_type}, {size_text(size)})", None, image)


def _why_not_shown(seen: "FileScan") -> str:
    """Return the reason why a file is not shown as an image; empty if it is shown."""
    if not seen.whole:
        return "It is too large to be shown as an image."
    problem = image_checks.image_problem(seen.data)
    return f"It is not shown as an image: {problem}." if problem else ""

"""Looking at a project's files."""

import difflib
import posixpath
from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.render import result
from opencode_mcp.server.schemas import FILE
from opencode_mcp.server.tool import tool

CHARACTERS = 40_000
LINE_WIDTH = 2000


@tool(
    title="Read a file",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=FILE,
)
async def opencode_read_file(
    ctx: BridgeContext,
    *,
    path: Annotated[str, Field(description="Relative to the project, or absolute inside it")],
    directory: Annotated[str, Field(description="Absolute path of the project; empty: the default")] = "",
    first: Annotated[int, Field(ge=1, description="First line")] = 1,
    lines: Annotated[int, Field(ge=1, le=5000, description="How many lines at most")] = 500,
) -> CallToolResult:
    """Read a text file of a project by line numbers, as OpenCode sees it."""
    bridge = bridge_of(ctx)
    where = await bridge.fence.directory(directory)
    file = await bridge.fence.file(where, path)
    relative = posixpath.relpath(file.replace("\\", "/"), where.replace("\\", "/"))
    text = await _read_text(bridge, where, relative)
    return _excerpt(relative, text.splitlines(), first, lines)


async def _read_text(bridge: Bridge, directory: str, path: str) -> str:
    try:
        content = await bridge.client.file_read(directory, path)
    except BackendFailed as error:
        raise NotFound(
            f"{path!r} is no file of {directory}.", hint=await _neighbours(bridge, directory, path)
        ) from error
    if content.encoding == "base64":
        size = len(content.content) * 3 // 4
        raise InvalidArgument(f"{path!r} is a binary file ({content.mime_type or 'unknown type'}, {size} bytes).")
    if not content.content:
        await _check_exists(bridge, directory, path)
    return content.content


async def _check_exists(bridge: Bridge, directory: str, path: str) -> None:
    """OpenCode reads a missing file as an empty one."""
    folder, name = posixpath.split(path)
    try:
        nodes = await bridge.client.file_list(directory, folder or ".")
    except BackendFailed:
        nodes = []
    if name not in {node.name for node in nodes}:
        raise NotFound(f"There is no file {path!r} in {directory}.", hint=await _neighbours(bridge, directory, path))


async def _neighbours(bridge: Bridge, directory: str, path: str) -> str:
    folder, name = posixpath.split(path)
    try:
        nodes = await bridge.client.file_list(directory, folder or ".")
    except BackendFailed:
        return f"There is no folder {folder!r} either."
    names = [posixpath.join(folder, node.name) for node in nodes if node.name != name]
    near = difflib.get_close_matches(path, names, n=5, cutoff=0.4) or sorted(names)[:10]
    return f"Near it: {', '.join(near)}." if near else "Its folder is empty."


def _excerpt(path: str, every: list[str], first: int, count: int) -> CallToolResult:
    if not every:
        return result(f"{path} is empty.", {"path": path, "lines": 0})
    if first > len(every):
        raise InvalidArgument(f"{path} has {len(every)} lines; line {first} was asked for.")
    shown: list[str] = []
    size = 0
    for number, line in enumerate(every[first - 1 : first - 1 + count], first):
        row = f"{number:>6}  {line[:LINE_WIDTH]}{'…' if len(line) > LINE_WIDTH else ''}"
        size += len(row)
        if shown and size > CHARACTERS:
            break
        shown.append(row)
    last = first + len(shown) - 1
    more = [f"({path} has {len(every)} lines; go on with first={last + 1}.)"] if last < len(every) else []
    data = {"path": path, "lines": len(every), "first": first, "last": last}
    return result("\n".join([*shown, *more]), data)

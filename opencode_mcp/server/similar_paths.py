"""Suggestions for the path of a file or folder that does not exist."""

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.text.similar_names import sentence_of, similar_names
from opencode_mcp.workspace.project_folder import ProjectFolder

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

NAMED = 5
SEARCH_SECONDS = 5.0
"""Time for a search of the whole project."""


async def suggest_files(bridge: "Bridge", directory: str, path: str, kind: str = "") -> str:
    """Suggest similar paths, from the same folder and from the whole project.

    Args:
        bridge: Reaches OpenCode.
        directory: The project.
        path: The path that does not exist, relative to the project.
        kind: ``directory`` for folders only.
    """
    folder, name = posixpath.split(path)
    beside = await _names_in(bridge, directory, folder, kind)
    near = similar_names(name, beside, count=NAMED)
    found = [*(posixpath.join(folder, one) for one in near), *await _anywhere(bridge, directory, name, kind)]
    named = list(dict.fromkeys(found))[:NAMED]
    return sentence_of(named) or "opencode_find_files finds files by a part of their path."


async def _anywhere(bridge: "Bridge", directory: str, name: str, kind: str) -> list[str]:
    """Find paths of the whole project by a name; none where the search fails or takes too long."""
    with suppress(BridgeError), anyio.move_on_after(SEARCH_SECONDS):
        return (await bridge.search.files.by_words(ProjectFolder(directory), name, kind or "file")).paths
    return []


async def _names_in(bridge: "Bridge", directory: str, folder: str, kind: str) -> list[str]:
    try:
        found = await bridge.files.names(directory, folder or ".")
    except BridgeError:
        return []
    wanted = {name: is_folder for name, is_folder in found.items() if is_folder or not kind}
    return [f"{name}/" if is_folder else name for name, is_folder in wanted.items()]

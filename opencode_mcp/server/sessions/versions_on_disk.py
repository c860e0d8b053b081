"""Find out whose version of a file is on disk, where two sessions changed it differently."""

from typing import TYPE_CHECKING, Literal

from opencode_mcp.diffs.file_after_patch import text_after
from opencode_mcp.errors import BridgeError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.server.bridge import Bridge

Version = Literal["this", "other", "neither"]
MOST_FILES = 50
"""Files that are read."""
MOST_BYTES = 2_000_000
"""Size of a file above which it is not compared."""


async def versions_on_disk(
    bridge: "Bridge", directory: str, ours: "Mapping[str, FileDiff]", theirs: "Mapping[str, FileDiff]"
) -> dict[str, Version]:
    """Return the versions of the files that both of two sessions changed, as far as they can be found out.

    Args:
        bridge: Reads the files.
        directory: The project in which both sessions work.
        ours: Changes of this session, by path.
        theirs: Changes of the other one.
    """
    found: dict[str, Version] = {}
    both = [path for path in ours if path in theirs]
    for path in both[:MOST_FILES]:
        version = await _version_of(bridge, directory, path, text_after(ours[path]), text_after(theirs[path]))
        if version is not None:
            found[path] = version
    return found


async def _version_of(
    bridge: "Bridge", directory: str, path: str, this: str | None, other: str | None
) -> Version | None:
    """Return whose text a file has; ``None`` if a text is not known, or if both are the same."""
    if this is None or other is None or this == other:
        return None
    text = await _text_of(bridge, directory, path)
    if text is None:
        return None
    versions: dict[str, Version] = {this: "this", other: "other"}
    return versions.get(text, "neither")


async def _text_of(bridge: "Bridge", directory: str, path: str) -> str | None:
    """Return the text of a file, empty if it does not exist; ``None`` if it cannot be read as a text."""
    data = bytearray()
    try:
        relative = await bridge.fence.relative(directory, path)
        async with bridge.files.open(directory, relative) as file:
            async for piece in file.pieces:
                data += piece
                if len(data) > MOST_BYTES:
                    return None
        return data.decode()
    except NotFound:
        return ""
    except (BridgeError, UnicodeDecodeError):
        return None

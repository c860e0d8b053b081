"""Links to resources, for results that show only a part."""

import posixpath
from typing import TYPE_CHECKING

from mcp_types import ResourceLink

from opencode_mcp.server import uris
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge


async def file_link(
    bridge: "Bridge", directory: str, path: str, media_type: str, size: int | None
) -> ResourceLink | None:
    """Return a link to a file; ``None`` for a file of a project that is not the default one.

    Args:
        bridge: Knows the default project.
        directory: Directory of the project.
        path: Path of the file, relative to the project.
        media_type: Media type of the file.
        size: Size in bytes, if it is known.
    """
    if not await bridge.fence.is_default(directory):
        return None
    name = _title(posixpath.basename(path))
    return ResourceLink(uri=uris.file(path), name=name, title=_title(path), mime_type=media_type, size=size)


def transcript_link(session_id: str, title: str) -> ResourceLink:
    """Return a link to the transcript of a session."""
    return ResourceLink(
        uri=uris.transcript(session_id),
        name=f"transcript of {session_id}",
        title=_title(title),
        mime_type="text/markdown",
    )


def diff_link(session_id: str, message_id: str = "") -> ResourceLink:
    """Return a link to the changes of a session, or of one prompt of it."""
    name = f"changes of {message_id or session_id}"
    return ResourceLink(uri=uris.diff(session_id, message_id), name=name, title=name, mime_type="text/markdown")


def message_link(session_id: str, message_id: str) -> ResourceLink:
    """Return a link to one message in full."""
    uri = uris.message(session_id, message_id)
    return ResourceLink(uri=uri, name=message_id, title="The whole message", mime_type="text/markdown")


def _title(text: str) -> str:
    return one_line(shown(text))

"""URI of a project's state, as a host makes it of the template."""

from urllib.parse import quote

from opencode_mcp.server import uris


def project_uri(directory: str) -> str:
    """Return the URI of the state of the project in a directory."""
    return f"{uris.PROJECT}?directory={quote(directory, safe='')}"

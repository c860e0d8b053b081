"""Metadata of the bridge as a protected resource (RFC 9728), by which clients find the issuer."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from mcp.server.auth.routes import build_resource_metadata_url
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.responses import Response

from opencode_mcp.http.oauth.oauth_settings import OAuthSettings
from opencode_mcp.http.web.http_app import MCP_PATH

WELL_KNOWN_PATH = "/.well-known/oauth-protected-resource"
NAME = "opencode-mcp"
CACHE = {"Cache-Control": "public, max-age=3600"}


def metadata_url(settings: OAuthSettings) -> str:
    """Return the address of the metadata."""
    return str(build_resource_metadata_url(AnyHttpUrl(settings.resource)))


def metadata_documents(settings: OAuthSettings) -> Mapping[str, Response]:
    """Return the response with the metadata for each path that has it.

    A proxy may serve the bridge at another path; then the path of the metadata has the proxy's.
    """
    metadata = ProtectedResourceMetadata.model_validate(
        {
            "resource": settings.resource,
            "authorization_servers": [settings.issuer],
            "scopes_supported": list(settings.scopes),
            "resource_name": NAME,
        }
    )
    response = Response(metadata.model_dump_json(exclude_none=True), media_type="application/json", headers=CACHE)
    paths = (WELL_KNOWN_PATH, WELL_KNOWN_PATH + MCP_PATH, urlsplit(metadata_url(settings)).path)
    return dict.fromkeys(paths, response)

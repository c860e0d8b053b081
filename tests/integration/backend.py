"""OpenCode as a test sees it beside the bridge, over plain HTTP, with the same methods for both generations."""

from pathlib import Path

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.launch import Launch, server_record
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.http import loopback_client
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend1 import Backend1
from tests.integration.backend2 import Backend2
from tests.integration.backend_base import Asked, Backend

__all__ = ["Asked", "Backend", "backend", "started_backend"]


def started_backend(launch: Launch, project: Path, generation: Generation) -> Backend:
    """Reach the OpenCode that a bridge of this launch has started; the caller closes ``http``."""
    server = server_record(launch)
    auth = (server["username"], server["password"])
    http = loopback_client(server["url"], auth=auth, headers={"x-opencode-directory": str(project)}, timeout=60)
    return (Backend1 if generation == 1 else Backend2)(http, project)


def backend(server: OpenCode | OpenCode2, project: Path) -> Backend:
    """Reach an OpenCode in a project; the caller closes ``http``."""
    kind = Backend2 if isinstance(server, OpenCode2) else Backend1
    return kind(server.client(project), project)

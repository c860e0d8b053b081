"""OpenCode as a test sees it beside the bridge, over plain HTTP, with the same methods for both generations."""

from pathlib import Path

from tests.harness.opencode import OpenCode
from tests.harness.opencode2.running import OpenCode2
from tests.integration.backend1 import Backend1
from tests.integration.backend2 import Backend2
from tests.integration.backend_base import Asked, Backend

__all__ = ["Asked", "Backend", "backend"]


def backend(server: OpenCode | OpenCode2, project: Path) -> Backend:
    """Reach an OpenCode in a project; the caller closes ``http``."""
    kind = Backend2 if isinstance(server, OpenCode2) else Backend1
    return kind(server.client(project), project)

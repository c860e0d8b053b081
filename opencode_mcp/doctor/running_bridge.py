"""A bridge that runs: the doctor recognises it at an address that is in use."""

from typing import TYPE_CHECKING

import anyio

from opencode_mcp.http.metrics.serving import METRICS_PATH
from opencode_mcp.http.web.http_app import ALIVE_PATH, SERVER_NAME
from opencode_mcp.opencode.http_client.document_fetching import FetchResult, fetch

if TYPE_CHECKING:
    from opencode_mcp.http.address import Address

TIMEOUT_SECONDS = 3.0
MOST_BYTES = 1 << 20
OWN_METRIC = b"opencode_mcp_requests_total"


def serves_mcp(address: "Address") -> bool:
    """Return True if a bridge serves MCP over HTTP at an address."""
    return _fetched(address, ALIVE_PATH).server == SERVER_NAME


def serves_metrics(address: "Address") -> bool:
    """Return True if a bridge serves its metrics at an address."""
    return OWN_METRIC in _fetched(address, METRICS_PATH).content


def _fetched(address: "Address", path: str) -> FetchResult:
    async def get() -> FetchResult:
        socket = str(address.path) if address.path else None
        return await fetch(
            f"{address.reached_at}{path}", seconds=TIMEOUT_SECONDS, most_bytes=MOST_BYTES, unix_socket=socket
        )

    return anyio.run(get)

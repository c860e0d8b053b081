"""A client of the 2026 era over HTTP without an SDK, which makes one connection for each request."""

import json
import ssl
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness.bridges.rawrpc import Host
from tests.harness.servers.http import NO_CERTIFICATES

Json = dict[str, Any]
ACCEPT = {"Accept": "application/json, text/event-stream"}
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RawHttp:
    """Client of one principal."""

    url: str
    """The MCP endpoint."""
    token: str
    client: Host
    certificates: ssl.SSLContext = NO_CERTIFICATES
    source: str = "127.0.0.1"
    """Address of the client."""

    def connection(self) -> httpx.AsyncClient:
        """Return a client for any requests."""
        transport = httpx.AsyncHTTPTransport(verify=self.certificates, local_address=self.source)
        headers = ACCEPT | {"Authorization": f"Bearer {self.token}", "MCP-Protocol-Version": self.client.protocol}
        return httpx.AsyncClient(transport=transport, headers=headers, timeout=SECONDS)

    async def request(self, method: str, params: Json, name: str = "") -> Json:
        """Make a request, and return its response."""
        headers = {
            "Mcp-Method": method,
            "Mcp-Name": name or str(params.get("name") or params.get("taskId") or params.get("uri") or ""),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": self.client.envelope()}}
        async with self.connection() as http:
            return message_of(await http.post(self.url, json=body, headers=headers))


def message_of(response: httpx.Response) -> Json:
    """Return the last message of a response."""
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith(("data: {", "{"))]
    return json.loads(lines[-1])

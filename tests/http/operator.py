"""The operator of a bridge over HTTP, who manages its principals, and requests to that bridge."""

import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.harness.bridges.forked import COMMAND
from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served
from tests.harness.processes.isolation import basics
from tests.harness.servers.http import loopback_client

MODERN = Client("2026-07-28")
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": MODERN.protocol,
    "Mcp-Method": "tools/list",
}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": MODERN.envelope()}}
STREAM = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "subscriptions/listen",
    "params": {"_meta": MODERN.envelope(), "notifications": {"resourcesListChanged": True}},
}


class Operator:
    """The operator, who manages tokens on the command line."""

    def __init__(self, folder: Path) -> None:
        self.settings = folder / "config.toml"
        self.environment = basics() | {
            "HOME": str(folder),
            "OPENCODE_MCP_CONFIG": str(self.settings),
            "OPENCODE_MCP_STATE": str(folder / "state"),
        }
        self.launch = Launch((), self.environment, folder / "bridge.log")

    def token(self, *arguments: str) -> str:
        """Run ``opencode-mcp token``, and return what it prints."""
        command = [str(COMMAND), "token", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)  # noqa: S603
        return done.stdout.strip()

    def principal(self, name: str, *arguments: str) -> str:
        """Make a principal with a directory of its own, and return its token."""
        directory = self.settings.parent / name
        directory.mkdir(exist_ok=True)
        return self.token("new", name, "--directory", str(directory), *arguments)


async def listed(served: Served, token: str = "", path: str = "/mcp", **more: str) -> httpx.Response:
    """Ask for the tools."""
    headers = HEADERS | ({"Authorization": f"Bearer {token}"} if token else {}) | more
    async with loopback_client(served.base) as http:
        return await http.post(path, json=LIST, headers=headers)


def names(response: httpx.Response) -> set[str]:
    """Return the names of the tools in a response."""
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return {tool["name"] for tool in body["result"]["tools"]}

"""The least that a tool of the SDK with one HTTP request costs: it lists a folder as OpenCode does, and checks nothing.

Run as ``python bare_request_server.py PATH NAME DIRECTORY`` with the environment of a bridge: the path of the request,
and the name and value of the parameter with the directory.
"""

import os
import sys

import httpx
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent

TOOL = "list_folder"


def main() -> None:
    """Serve the tool on stdin and stdout."""
    path_of_request, name, directory = sys.argv[1:]
    http = httpx.AsyncClient(
        base_url=os.environ["OPENCODE_MCP_URL"],
        auth=("opencode", os.environ["OPENCODE_MCP_PASSWORD"]),
        params={name: directory},
        trust_env=False,
    )

    async def list_folder(path: str) -> CallToolResult:
        """List a folder."""
        reply = await http.get(path_of_request, params={"path": path})
        return CallToolResult(content=[TextContent(text=reply.raise_for_status().text)])

    server = MCPServer[None]("bare")
    server.add_tool(list_folder, name=TOOL, structured_output=False)
    server.run("stdio")


if __name__ == "__main__":
    main()

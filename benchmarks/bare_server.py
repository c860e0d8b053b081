"""The least that a server of the SDK costs: as many tools as the bridge has, of like signatures, with nothing behind.

Run as ``python bare_server.py NUMBER_OF_TOOLS``.
"""

import sys
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from pydantic import Field

Text = Annotated[str, Field(description="A text that means something")]
Seconds = Annotated[float | None, Field(ge=0, le=3600, description="How long to wait")]


async def start(
    ctx: Context[None, object],
    *,
    prompt: Text,
    session: Text = "",
    directory: Text = "",
    model: Text = "",
    files: Annotated[tuple[str, ...], Field(description="Several of them")] = (),
    schema: Annotated[dict[str, Any] | None, Field(description="An object")] = None,
    wait: Seconds = None,
) -> str:
    """Do something long with many arguments."""
    raise NotImplementedError


async def answer(
    ctx: Context[None, object],
    *,
    request: Text,
    reply: Annotated[Literal["once", "always"], Field(description="A choice")],
    message: Text = "",
    wait: Seconds = None,
) -> str:
    """Do something with a choice among its arguments."""
    raise NotImplementedError


async def read(
    ctx: Context[None, object],
    *,
    path: Text,
    directory: Text = "",
    first: Annotated[int, Field(ge=1, description="Where to begin")] = 1,
    lines: Annotated[int, Field(ge=1, le=5000, description="How much")] = 500,
) -> str:
    """Do something with numbers among its arguments."""
    raise NotImplementedError


async def show(ctx: Context[None, object], *, directory: Text = "") -> str:
    """Do something simple."""
    raise NotImplementedError


SHAPES = (start, answer, read, show)


def main() -> None:
    """Serve that many tools on stdin and stdout."""
    server = MCPServer[None]("bare")
    for number in range(int(sys.argv[1])):
        server.add_tool(SHAPES[number % len(SHAPES)], name=f"tool_{number}")
    server.run("stdio")


if __name__ == "__main__":
    main()

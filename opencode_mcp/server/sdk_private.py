"""All uses of private names of the MCP SDK, each for something that its public API does not offer.

Only those of its manager of HTTP sessions are elsewhere, in ``http/web/sdk_session_manager.py``.
``docs/upstream.md`` holds the requests to the SDK that would make this module superfluous. A test fails when a new
version of the SDK has changed one.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from mcp.server.mcpserver import server as mcpserver

if TYPE_CHECKING:
    from mcp.server.connection import Connection
    from mcp.server.lowlevel.server import Server
    from mcp.server.mcpserver import MCPServer
    from mcp.server.session import ServerSession
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.message import SessionMessage


async def run_over_streams(
    server: "MCPServer[Any]",
    reader: "ReadStream[SessionMessage | Exception]",
    writer: "WriteStream[SessionMessage]",
) -> None:
    """Serve one connection over streams other than those that the SDK opens itself, until the reader ends."""
    lowlevel = lowlevel_of(server)
    await lowlevel.run(reader, writer, lowlevel.create_initialization_options())


def connection_state(session: "ServerSession") -> dict[str, Any]:
    """Return the data that the SDK keeps for a connection, whichever of its requests the session belongs to."""
    return session._connection.state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def call_at_disconnect(session: "ServerSession", callback: Callable[[], None]) -> None:
    """Call a function when the connection of a session ends.

    The SDK's documentation says to register cleanup with the connection, but a middleware gets only the session.
    """
    connection = cast("Connection | None", getattr(session, "_connection", None))
    if connection:
        connection.exit_stack.callback(callback)


def lowlevel_of(server: "MCPServer[Any]") -> "Server[Any]":
    """Return the SDK's server below an ``MCPServer``, which its manager of HTTP sessions serves."""
    return server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


@contextmanager
def without_log_configuration() -> Generator[None]:
    """Build an ``MCPServer`` without its configuration of the log.

    It imports ``rich`` for a handler, which takes as long as to build the tools. ``logging.basicConfig`` then drops it,
    because the bridge has configured the log before.
    """
    configure = mcpserver.configure_logging  # pyright: ignore[reportPrivateImportUsage]
    mcpserver.configure_logging = _keep_log  # pyright: ignore[reportPrivateImportUsage]
    try:
        yield
    finally:
        mcpserver.configure_logging = configure  # pyright: ignore[reportPrivateImportUsage]


def _keep_log(*_arguments: object, **_options: object) -> None:
    """Take the place of the SDK's ``configure_logging``."""

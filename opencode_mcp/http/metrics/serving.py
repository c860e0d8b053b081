"""Metrics of a bridge that serves HTTP: their instruments, and the web server at which they are read."""

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.address import Address, listening
from opencode_mcp.http.metrics import instruments, metrics_endpoint
from opencode_mcp.http.web.header_checks import allowed_names
from opencode_mcp.http.web.web_server import WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from socket import socket

    from opencode_mcp.http.metrics.current_state import CurrentState
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

METRICS_PATH = "/metrics"


class Metrics:
    """Metrics, and the socket at which they are served.

    Args:
        listener: The socket.
        address: Its address.
        settings: Names under which clients reach the bridge.
    """

    def __init__(self, listener: "socket", address: Address, settings: "Settings") -> None:
        self.address = address
        self.instruments = instruments.Instruments()
        self._listener = listener
        # The names by which other machines reach the metrics are not known.
        self._allowed = allowed_names(settings, address) if address.is_local else None
        self._web_server: WebServer | None = None

    async def serve(self, read_state: "Callable[[], Awaitable[CurrentState]]") -> None:
        """Serve until ``close``."""
        app = metrics_endpoint.MetricsApp(METRICS_PATH, self.instruments, read_state, self._allowed)
        self._web_server = WebServer(app)
        await self._web_server.serve([self._listener])

    def close(self) -> None:
        """End serving."""
        if self._web_server:
            self._web_server.should_exit = True


@contextmanager
def metrics_of(settings: "Settings") -> "Generator[Metrics | None]":
    """Listen at the address for metrics for the length of the block, if the settings name one.

    Raises:
        InvalidSetting: The address cannot be used, or the library is not installed.
    """
    if not settings.metrics:
        yield None
        return
    with listening(settings.metrics) as (listener, address):
        if not address.is_local:
            logger.warning("everybody who can connect to %s can read the metrics", address)
        yield _made(listener, address, settings)


def _made(listener: "socket", address: Address, settings: "Settings") -> Metrics:
    try:
        return Metrics(listener, address, settings)
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "--metrics needs the library prometheus-client.", hint="Install opencode-mcp[metrics]."
        ) from error

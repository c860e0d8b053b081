"""A server of the standard library that serves in a thread of the test's own process."""

from collections.abc import Generator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread

POLL_SECONDS = 0.02
"""Time within which the server notices that it is to end; by itself it takes half a second."""


@contextmanager
def served_in_thread(server: BaseServer) -> Generator[None]:
    """Serve until the block ends, then close the server."""
    thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

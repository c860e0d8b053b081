"""A web server that may open few files: ``python -m tests.http.web.few_files NUMBER``.

It prints its port, and after a signal, how often it could not accept a connection.
"""

import logging
import resource
import signal
import sys

import anyio
from starlette.responses import PlainTextResponse

from opencode_mcp.http.address import Address
from opencode_mcp.http.web.web_server import WebServer


class _Counter(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "no more files can be opened" in record.getMessage()


async def main(most: int) -> None:
    """Serve until a signal arrives."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    failures = _Counter()
    logging.basicConfig(level=logging.WARNING, handlers=[failures])
    with Address("127.0.0.1").bind() as listener, anyio.open_signal_receiver(signal.SIGTERM) as signals:
        server = WebServer(PlainTextResponse("served"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            await server.listens.wait()
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            await anext(signals)
            sys.stdout.write(f"{failures.count} failures\n")
            sys.stdout.flush()
            server.should_exit = True


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]))

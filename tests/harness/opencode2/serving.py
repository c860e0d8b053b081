"""The process that tests drive as OpenCode 2: the engine, the proxy, and how both end."""

import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from types import FrameType

import uvicorn

from tests.harness.opencode2.engine import Engine, running_engine, stop
from tests.harness.opencode2.proxy.app import make_app
from tests.harness.opencode2.proxy.upstream import Upstream
from tests.harness.opencode2.switches import VARIABLE, switched_on

STOPPED_BY_SIGNAL = 130
"""The exit code of OpenCode 2 after SIGTERM and SIGINT."""
GRACE = 2
"""Seconds that open requests have at the end; streams end with the engine, which goes first."""


class _Server(uvicorn.Server):
    """A server that stops its engine first, so that every stream ends as it would with the engine's own."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine
        self.by_signal = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._engine.process.stdin and not self._engine.process.stdin.closed:
            self._engine.process.stdin.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Note that a signal came instead of sending it again at the end: the exit code is OpenCode's own."""

        def note(_number: int, _frame: FrameType | None) -> None:
            self.by_signal = True
            self.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note)
        yield


def serve(hostname: str, port: int, password: str, ready: Callable[[str], None], *, until_input_ends: bool) -> int:
    """Serve until a signal comes, the engine ends, or standard input does; return the exit code.

    Args:
        hostname: Where to listen.
        port: TCP port; 0 takes a free one.
        password: Guards the server.
        ready: Called with the base URL when requests are answered.
        until_input_ends: Whether the end of standard input ends it.

    Raises:
        NotReady: The engine is not installed, or does not start.
    """
    switches = switched_on(os.environ.get(VARIABLE, ""))
    with (
        socket.create_server((hostname, port), backlog=512) as listener,
        running_engine(os.environ, secrets.token_urlsafe(16)) as engine,
    ):
        url = f"http://{hostname}:{listener.getsockname()[1]}"
        upstream = Upstream(engine.url, engine.password)
        data = Path(os.environ["XDG_DATA_HOME"])
        app = make_app(upstream, url=url, password=password, data=data, switches=switches)
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=GRACE)
        server = _Server(config, engine)
        _watch(server, engine.process)
        if until_input_ends:
            threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
        ready(url)
        server.run(sockets=[listener])
        stop(engine.process)
    return STOPPED_BY_SIGNAL if server.by_signal else 0


def _watch(server: uvicorn.Server, engine: Popen[bytes]) -> None:
    """Stop when the engine has ended by itself."""

    def watch() -> None:
        engine.wait()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    # Not sys.stdin: at exit, Python would wait for a lock that this thread has.
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    server.should_exit = True

"""A server between the bridge and the real OpenCode that changes a little of what comes back.

It takes the place of what cannot be had in a test run: another version of OpenCode, another clock, an endless read.
"""

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from tests.harness.servers.http import NO_CERTIFICATES
from tests.harness.servers.threaded_server import served_in_thread

DROPPED = frozenset({"connection", "content-length", "date", "host", "server", "transfer-encoding"})
PAGE = b"<!doctype html><title>OpenCode</title>"


class Rewriter(Protocol):
    """Changes what comes back."""

    def reply(self, path: str, value: object) -> object:
        """Change the JSON of a reply."""
        ...

    def line(self, line: str) -> list[str]:
        """Change a line of the event stream."""
        ...


@dataclass(slots=True)
class Altered:
    """Settings of the changes; a test may change that at any time."""

    url: str = ""
    lacks: set[str] = field(default_factory=set[str])
    """Paths that it does not know: like OpenCode, it answers them with a web page."""
    refusals: dict[str, int] = field(default_factory=dict[str, int])
    """Statuses with which it refuses paths; the empty path means all of them."""
    silent: set[str] = field(default_factory=set[str])
    """Paths that it never answers."""
    version: str = ""
    """The version that it reports; empty: the real one."""
    clock: float = 0
    """Seconds by which its clock is ahead."""
    rewriter: Rewriter | None = None
    """Changes replies and events; none: they stay as they are."""
    requests: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The method and path of every request that came, in order."""
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    """The bytes of the largest whole reply to each path."""
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def altered(target: str) -> Generator[Altered]:
    """Serve a changed OpenCode on a free port in front of a base URL until the block ends."""
    rules = Altered()
    with httpx.Client(base_url=target, trust_env=False, verify=NO_CERTIFICATES, timeout=None) as client:  # noqa: S113 - the bridge has timeouts

        class Handler(_Handler):
            altered = rules
            real = client

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        rules.url = f"http://127.0.0.1:{server.server_address[1]}"
        with served_in_thread(server):
            try:
                yield rules
            finally:
                rules.ended.set()


class _Handler(BaseHTTPRequestHandler):
    altered: Altered
    real: httpx.Client

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.altered.clock)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        pass

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.altered.requests.append((self.command, path))
        if path in self.altered.silent:
            self.altered.ended.wait()
        elif status := self.altered.refusals.get(path) or self.altered.refusals.get(""):
            self._send(b'{"code": "service_starting"}', "application/json", status)
        elif path in self.altered.lacks:
            self._send(PAGE, "text/html")
        elif path == "/global/health" and self.altered.version:
            self._send(json.dumps({"healthy": True, "version": self.altered.version}).encode(), "application/json")
        else:
            # Either side may go away at any time.
            with suppress(OSError, httpx.TransportError):
                self._pass_on()

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815 - the names in the standard library

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
        with self.real.stream(self.command, self.path, headers=headers, content=body) as reply:
            self.send_response(reply.status_code)
            for name, value in reply.headers.items():
                if name not in DROPPED:
                    self.send_header(name, value)
            self.end_headers()
            size = 0
            for chunk in self._chunks(reply):
                size += len(chunk)
                self.wfile.write(chunk)
        path = urlsplit(self.path).path
        self.altered.sizes[path] = max(size, self.altered.sizes.get(path, 0))

    def _chunks(self, reply: httpx.Response) -> Iterator[bytes]:
        """Yield the body of a reply as the client gets it."""
        rewriter, kind = self.altered.rewriter, reply.headers.get("content-type", "")
        if rewriter and kind.startswith("text/event-stream"):
            for line in reply.iter_lines():
                yield "".join(f"{written}\n" for written in rewriter.line(line)).encode()
        elif rewriter and reply.is_success and kind.startswith("application/json"):
            reply.read()
            yield json.dumps(rewriter.reply(urlsplit(self.path).path, reply.json())).encode()
        else:
            yield from reply.iter_raw()

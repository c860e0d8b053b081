"""The address that the bridge listens at: a host and a port, or a Unix socket."""

import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import UNIX_PREFIX

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine in a ``Host`` header."""
BACKLOG = 512
"""Connections that the system keeps until the bridge accepts them."""
OWNER_ONLY = 0o177
"""Mask of a Unix socket's permissions: only the user of the bridge may connect."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, or a Unix socket."""

    host: str = ""
    port: int = 0
    """0: the system chooses one."""
    path: Path | None = None
    """Path of a Unix socket; ``None`` for a host and a port."""

    @classmethod
    def read(cls, text: str) -> "Address":
        """Return the address in a text that ``options.as_http`` has checked."""
        if text.startswith(UNIX_PREFIX):
            return cls(path=Path(text.removeprefix(UNIX_PREFIX)))
        parts = urlsplit(f"//{text}")
        return cls(parts.hostname or "", parts.port or 0)

    @property
    def is_local(self) -> bool:
        """Return True if only programs on this machine can connect."""
        return self.path is not None or self.host == "localhost" or _is_loopback(self.host)

    @property
    def is_wildcard(self) -> bool:
        """Return True if it stands for every address of this machine, and so names none."""
        return self.path is None and self.host in {"0.0.0.0", "::", ""}  # noqa: S104 - it is recognised, not used

    @property
    def shown_host(self) -> str:
        """Return the host as it is in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def reached_at(self) -> str:
        """Return a URL by which a program on this machine reaches it; that of a Unix socket has any host."""
        if self.path:
            return "http://localhost"
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.shown_host)  # noqa: S104 - see above
        return f"http://{host}:{self.port}"

    def with_path(self, path: str) -> str:
        """Return how a person reads where something is served at it: a URL, or the socket and the path apart."""
        return f"{self}, path {path}" if self.path else f"{self}{path}"

    def bind(self) -> socket.socket:
        """Return a socket that listens.

        Raises:
            InvalidSetting: The address cannot be used.
        """
        try:
            return _bind_path(self.path) if self.path else _bind_port(self.host, self.port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidSetting(
                f"Cannot listen at {self}: {reason}.", hint="Name an address of this machine that is free."
            ) from error

    def release(self) -> None:
        """Remove the file of a Unix socket."""
        if self.path:
            with suppress(OSError):
                self.path.unlink()

    def bound(self, listener: socket.socket) -> "Address":
        """Return the address with the port that the system chose."""
        return self if self.path else Address(self.host, listener.getsockname()[1])

    def __str__(self) -> str:
        return f"{UNIX_PREFIX}{self.path}" if self.path else f"http://{self.shown_host}:{self.port}"


@contextmanager
def listening(text: str) -> Generator[tuple[socket.socket, Address]]:
    """Listen at the address in a text that ``options.as_http`` has checked, for the length of the block.

    Yields:
        The socket, and the address with its port.

    Raises:
        InvalidSetting: The address cannot be used.
    """
    address = Address.read(text)
    listener = address.bind()
    try:
        yield listener, address.bound(listener)
    finally:
        listener.close()
        address.release()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind_port(host: str, port: int) -> socket.socket:
    # "localhost" may stand for two addresses; clients try both.
    numeric = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in numeric else socket.AF_INET
    listener = socket.create_server((numeric, port), family=family, backlog=BACKLOG)
    # Python names no protocol, and asyncio then leaves Nagle's algorithm on: each response would take 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach())


def _bind_path(path: Path) -> socket.socket:
    if sys.platform == "win32":
        raise InvalidSetting("Windows has no Unix sockets here.", hint="Give --http a host and a port.")
    _make_room(path)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(OWNER_ONLY)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _make_room(path: Path) -> None:
    """Remove the socket that an ended process left; one that is in use is kept.

    Raises:
        InvalidSetting: There is another file, which is kept, too.
    """
    if sys.platform == "win32" or not os.path.lexists(path):
        return
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        raise InvalidSetting(
            f"{path} exists and is no socket, so it is not replaced.", hint="Name another path, or remove it yourself."
        )
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()

"""A process that has imported the bridge, and forks a copy of itself for each bridge that a test starts.

Importing takes two thirds of a bridge's start. A copy gets the arguments, the environment, the directory and the stdio
of ``fork_client``, and a session of its own; from there on it is what the installed command is. The server runs no
thread and no event loop, so nothing is lost in the fork. Linux alone: elsewhere each bridge is started anew.
"""

import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import sys
from dataclasses import dataclass, field
from signal import SIGKILL

import anyio

import opencode_mcp
from opencode_mcp.cli import main as run_bridge
from opencode_mcp.lazy_imports import LazyModule
from tests.harness.bridges.fork_client import READY, STDIO, WORD

SECONDS = 30.0
"""Seconds that a client may take to send its request."""


@dataclass(frozen=True, slots=True)
class Order:
    """Command that a client wants to run."""

    arguments: list[str]
    environment: dict[str, str] = field(repr=False)
    directory: str
    stdio: list[int]


@dataclass(frozen=True, slots=True)
class Child:
    """A running bridge, and the client that the host sees in its place."""

    pid: int
    client: socket.socket
    end: int
    """A descriptor that can be read when the bridge has ended."""


def main() -> int:
    """Serve at the socket that the first argument names; in each child, run the bridge and return its exit code."""
    _import_all()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        order = _serve(listener)
    _become(order)
    return run_bridge()


def _import_all() -> None:
    for module in pkgutil.walk_packages(opencode_mcp.__path__, "opencode_mcp."):
        importlib.import_module(module.name)
    while lazy := [module for module in sys.modules.values() if isinstance(module, LazyModule)]:
        for module in lazy:
            # The first read of a name executes it.
            getattr(module, "any_name", None)
    # This imports what anyio loads with its first loop.
    anyio.run(anyio.sleep, 0)
    gc.collect()
    gc.freeze()


def _serve(listener: socket.socket) -> Order:
    """Fork for each client; only children return."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        # One at a time: the end of a bridge can come by two descriptors at once.
        (key, _), *_ = selector.select()
        if key.data is not None:
            _end(key.data, selector, by_client=key.fileobj is key.data.client)
        elif order := _accept(listener, selector):
            return order


def _accept(listener: socket.socket, selector: selectors.BaseSelector) -> Order | None:
    """Fork for the next client; return what to run in the child, and None in the server."""
    client, _ = listener.accept()
    client.settimeout(SECONDS)
    order = _read(client)
    pid = os.fork()
    if pid == 0:
        _forget_all(selector)
        client.close()
        return order
    for descriptor in order.stdio:
        os.close(descriptor)
    child = Child(pid, client, os.pidfd_open(pid))
    _send_number(client, pid)
    selector.register(client, selectors.EVENT_READ, child)
    selector.register(child.end, selectors.EVENT_READ, child)
    return None


def _read(client: socket.socket) -> Order:
    head, stdio, _, _ = socket.recv_fds(client, WORD, len(STDIO))
    size = int.from_bytes(head, "big")
    data = json.loads(client.recv(size, socket.MSG_WAITALL))
    return Order(**data, stdio=stdio)


def _end(child: Child, selector: selectors.BaseSelector, *, by_client: bool) -> None:
    """Reap a bridge that has ended, or whose client was killed."""
    if by_client:
        os.kill(child.pid, SIGKILL)
    _, status = os.waitpid(child.pid, 0)
    _send_number(child.client, os.waitstatus_to_exitcode(status))
    selector.unregister(child.client)
    selector.unregister(child.end)
    child.client.close()
    os.close(child.end)


def _send_number(client: socket.socket, number: int) -> None:
    try:
        client.sendall(number.to_bytes(WORD, "big", signed=True))
    except OSError:
        return  # It was killed, and the client sees the end of the connection.


def _forget_all(selector: selectors.BaseSelector) -> None:
    """Close what belongs to the server, in a child."""
    for key in list(selector.get_map().values()):
        if isinstance(key.fileobj, socket.socket):
            key.fileobj.close()
        else:
            os.close(key.fd)
    selector.close()


def _become(order: Order) -> None:
    """Take on the arguments, environment, directory and stdio of the client."""
    os.setsid()
    for descriptor, target in zip(order.stdio, STDIO, strict=True):
        os.dup2(descriptor, target)
    for descriptor in order.stdio:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.directory)
    sys.argv = ["opencode-mcp", *order.arguments]


if __name__ == "__main__":
    sys.exit(main())

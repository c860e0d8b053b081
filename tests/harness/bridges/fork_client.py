"""Runs a bridge in the fork server as if it had been started here: same stdio, environment, signals and exit code.

It imports little, so that it costs a few milliseconds. Its own death by SIGKILL is the death of the bridge.
"""

import json
import os
import signal
import socket
import sys
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
READY = "ready"
"""Line that the server prints when it can be reached."""
STDIO = (0, 1, 2)
WORD = 4
"""Bytes of each number on the connection."""


def main() -> int:
    """Start a bridge, wait for its end, and return its exit code."""
    address, *arguments = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        directory = os.getcwd()  # noqa: PTH109 - pathlib takes as long to import as all the rest
        order = {"arguments": arguments, "environment": dict(os.environ), "directory": directory}
        data = json.dumps(order).encode()
        socket.send_fds(server, [len(data).to_bytes(WORD, "big")], STDIO)
        server.sendall(data)
        _close_stdio()
        bridge = _number(server)

        def pass_on(number: int, _frame: FrameType | None) -> None:
            os.kill(bridge, number)

        for number in PASSED_ON:
            signal.signal(number, pass_on)
        code = _number(server)
    return code if code >= 0 else _killed_by(-code)


def _close_stdio() -> None:
    """Leave the pipes to the bridge alone, so that they break when it ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in STDIO:
        os.dup2(nothing, descriptor)


def _number(server: socket.socket) -> int:
    data = server.recv(WORD, socket.MSG_WAITALL)
    if len(data) < WORD:
        sys.exit("The fork server has ended.")
    return int.from_bytes(data, "big", signed=True)


def _killed_by(number: int) -> int:
    """End as the bridge did."""
    if number in PASSED_ON:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


if __name__ == "__main__":
    sys.exit(main())

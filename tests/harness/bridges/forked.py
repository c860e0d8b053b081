"""The command that runs a bridge: the installed one, or its copy from a fork server, which starts without importing.

A test run switches the fork server on, and it starts with the first bridge. What looks at the process itself, such as
its command line, its memory or its environment, starts the installed command.
"""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.harness.bridges.fork_client import READY
from tests.harness.processes.isolation import ROOT, basics
from tests.harness.processes.process import await_line, spawned

COMMAND = Path(sys.executable).with_name("opencode-mcp.exe" if sys.platform == "win32" else "opencode-mcp")
"""The command as ``pip install`` put it."""
CLIENT = Path(__file__).with_name("fork_client.py")
SECONDS = 60.0
"""Seconds that the fork server may take to start."""


class ForkServer:
    """The fork server of a test run, from its first use until it is stopped."""

    def __init__(self) -> None:
        self.enabled = False
        self.pid: int | None = None
        """Of the server, once it runs."""
        self._address: Path | None = None
        self._running = ExitStack()

    def command(self, environment: Mapping[str, str]) -> list[str]:
        """Begin the command line of a bridge that gets this environment."""
        # What is said to the interpreter takes effect when it starts.
        if not self.enabled or any(name.startswith("PYTHON") for name in environment):
            return [str(COMMAND)]
        if self._address is None:
            self._address = self._start()
        return [sys.executable, "-I", "-S", str(CLIENT), str(self._address)]

    def stop(self) -> None:
        """End the server; a test has ended its bridges by then."""
        self.enabled = False
        self._running.close()

    def _start(self) -> Path:
        # The path of a socket is short: pytest's folders can be too deep.
        folder = Path(self._running.enter_context(tempfile.TemporaryDirectory(prefix="fork")))
        address, log = folder / "socket", folder / "log"
        command = [sys.executable, "-m", "tests.harness.bridges.fork_server", str(address)]
        process = self._running.enter_context(spawned(command, environment=basics(), log=log, directory=ROOT))
        await_line(process, log, READY, seconds=SECONDS)
        self.pid = process.pid
        return address


fork_server = ForkServer()
"""The one of this process."""

"""A program in a pseudo-terminal, and what it shows: for OpenCode's terminal interface (TUI)."""

import os
import re
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

from tests.harness.process import end
from tests.harness.waiting import eventually

ROWS, COLUMNS = 40, 120
CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[P_^X][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)
ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;c"}
"""What a terminal says when a program asks where its cursor is, and what it is."""


class Screen:
    """What a program has written to its terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._written = bytearray()

    def read(self) -> None:
        """Take all that is written until the terminal is closed; blocks, so it wants a thread of its own."""
        with suppress(OSError):
            while piece := os.read(self._terminal, 65536):
                self._written += piece
                for question, answer in ANSWERS.items():
                    if question in piece:
                        os.write(self._terminal, answer)

    @property
    def mark(self) -> int:
        """How much has been written until now."""
        return len(self._written)

    def since(self, mark: int) -> str:
        """The visible characters written after a mark, without blanks: a program that draws skips those."""
        return "".join(CONTROL.sub("", bytes(self._written[mark:]).decode(errors="replace")).split())

    async def shows(self, text: str, *, since: int = 0) -> None:
        """Wait until a text was written after a mark."""
        wanted = "".join(text.split())

        async def look() -> bool:
            return wanted in self.since(since)

        await eventually(look)


@contextmanager
def on_a_screen(command: Sequence[str], environment: Mapping[str, str], directory: Path) -> Generator[Screen]:
    """Run a program in a pseudo-terminal until the block ends; not on Windows, which has none of this kind."""
    assert sys.platform != "win32"
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = Popen(  # noqa: S603 - the command is the test's own
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color"},
        cwd=directory,
        start_new_session=True,
    )
    os.close(theirs)
    screen = Screen(ours)
    reader = threading.Thread(target=screen.read)
    reader.start()
    try:
        yield screen
    finally:
        end(process)
        reader.join()
        os.close(ours)

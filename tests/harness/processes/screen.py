"""A program in a pseudo-terminal, and what it shows: for OpenCode's terminal interface (TUI)."""

import codecs
import os
import re
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

from tests.harness.processes.process import end
from tests.harness.waiting import eventually

ROWS, COLUMNS = 40, 120
PIECE = re.compile(
    r"\x1b\[(?P<numbers>[0-9;]*)(?P<command>[A-Za-z])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[P_^X][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
    r"|(?P<character>[^\x1b])",
    re.DOTALL,
)
ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;c"}
"""Answers of a terminal to the questions for its cursor and its kind."""


class Screen:
    """The screen of a program: only as much of a terminal as a program that draws with cursor moves needs."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0
        self._rest = ""

    def read(self) -> None:
        """Take all that is written until the terminal is closed; blocks, so it wants a thread of its own."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with suppress(OSError):
            while piece := os.read(self._terminal, 65536):
                for question, answer in ANSWERS.items():
                    if question in piece:
                        os.write(self._terminal, answer)
                self._draw(self._rest + decoder.decode(piece))

    def _draw(self, written: str) -> None:
        end = 0
        for found in PIECE.finditer(written):
            if found.start() != end:
                break
            end = found.end()
            if found["character"]:
                self._put(found["character"])
            elif found["command"]:
                self._move(found["command"], [int(number or 0) for number in found["numbers"].split(";")])
        self._rest = written[end:]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row = min(self._row + 1, ROWS - 1)
        elif self._column < COLUMNS and character.isprintable():
            self._cells[self._row][self._column] = character
            self._column += 1

    def _move(self, command: str, numbers: list[int]) -> None:
        count = max(numbers[0], 1)
        match command:
            case "H":
                self._row, self._column = min(count, ROWS) - 1, max([*numbers[1:], 1]) - 1
            case "C":
                self._column += count
            case "G":
                self._column = count - 1
            case "K":
                self._cells[self._row][self._column :] = [" "] * (COLUMNS - self._column)
            case "J":
                self._cells = [[" "] * COLUMNS for _ in range(ROWS)]
            case _:
                pass

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._terminal, keys.encode())

    @property
    def text(self) -> str:
        """Text on the screen now."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    async def shows(self, text: str, *, seconds: float = 20.0) -> None:
        """Wait until a text is to be seen."""

        async def look() -> bool:
            return text in self.text

        await eventually(look, seconds=seconds)

    async def hides(self, text: str, *, seconds: float = 20.0) -> None:
        """Wait until a text is not to be seen any more."""

        async def look() -> bool:
            return text not in self.text

        await eventually(look, seconds=seconds)


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

"""Terminal output of the demo: each line with its time, in colour if the terminal has colours.

``NO_COLOR`` turns colours off, ``FORCE_COLOR`` on. The module knows nothing of the content.
"""

import os
import sys
import textwrap
import time
from collections.abc import Iterable

WIDTH = 96
COLOURS = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Screen:
    """Prints lines; the clock starts with the first."""

    def __init__(self) -> None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            # A terminal that lacks a character must not end the demo.
            reconfigure(errors="replace")
        wanted = sys.stdout.isatty() or "FORCE_COLOR" in os.environ
        self._colourful = wanted and "NO_COLOR" not in os.environ
        self._began = time.monotonic()

    def paint(self, text: str, colour: str) -> str:
        """Return a text in colour."""
        return f"\033[{COLOURS[colour]}m{text}\033[0m" if self._colourful else text

    def say(self, mark: str, text: str, colour: str = "") -> None:
        """Print a text after a mark, wrapped, with the seconds since the start before its first line."""
        moment = self.paint(f"{time.monotonic() - self._began:5.1f}s", "dim")
        first, *rest = [line for part in text.splitlines() for line in textwrap.wrap(part, WIDTH) or [""]] or [""]
        for lead, line in [(f"{moment}  {mark} ", first), *((" " * 10, line) for line in rest)]:
            print(f"{lead}{self.paint(line, colour) if colour else line}", flush=True)

    def heading(self, text: str) -> None:
        """Print the title of the next step, after an empty line."""
        print(f"\n{self.paint(text, 'bold')}", flush=True)

    def diff(self, lines: Iterable[str]) -> None:
        """Print patches: additions green, removals red, names of files in backquotes bold."""
        for line in lines:
            colour = {"+": "green", "-": "red", "@": "dim", "`": "bold"}.get(line[:1])
            print(f"          {self.paint(line, colour) if colour else line}", flush=True)

"""Record the demo and draw it as docs/demo.svg: its real output, each line at its time.

From the repository: ``python -m scripts.draw_demo``. Without animation, the picture shows all lines at once.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "demo.svg"
LONGEST_PAUSE = 2.0
"""Longest pause in seconds; a longer one only shows the speed of the recording machine."""
SIZE, LINE, WIDTH, TOP, LEFT, BOTTOM = 13, 18, 900, 44, 20, 8
COLOURS = {"31": "#f47067", "32": "#8ddb8c", "33": "#f0c674", "34": "#6cb6ff", "36": "#76d9e6"}
STYLES = {"1": "font-weight:bold;fill:#ffffff", "2": "fill:#8b949e"}
CODE = re.compile(r"\033\[(\d+)m")
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
role="img" aria-label="A terminal recording of make demo">
<style>
text {{
  font-size: {size}px; fill: #d0d7de;
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}}
g {{ animation: appear 0.2s both }}
@keyframes appear {{ from {{ opacity: 0 }} }}
@media (prefers-reduced-motion: reduce) {{ g {{ animation: none }} }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/>\
<circle cx="60" cy="18" r="6" fill="#28c840"/>
{lines}
</svg>
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the output, with its colour codes."""

    moment: float
    """Seconds since the start."""
    text: str


def record() -> Iterator[Line]:
    """Run the demo and yield its lines with their times.

    Raises:
        CalledProcessError: The demo failed.
    """
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, encoding="utf-8") as demo:  # noqa: S603
        for text in demo.stdout or ():
            yield Line(time.monotonic() - began, text.rstrip("\n"))
    if demo.returncode:
        raise subprocess.CalledProcessError(demo.returncode, command)


def hurry(lines: Sequence[Line]) -> list[Line]:
    """Shorten the pauses that are too long to watch."""
    moment, before, hurried = 0.0, 0.0, list[Line]()
    for line in lines:
        moment += min(line.moment - before, LONGEST_PAUSE)
        before = line.moment
        hurried.append(Line(moment, line.text))
    return hurried


def draw(lines: Sequence[Line]) -> str:
    """Draw the picture."""
    height = TOP + LINE * len(lines) + BOTTOM
    drawn = "\n".join(_line(line, TOP + LINE * number) for number, line in enumerate(lines))
    return FRAME.format(width=WIDTH, height=height, size=SIZE, lines=drawn)


def _line(line: Line, y: int) -> str:
    spans = "".join(_span(style, text) for style, text in _pieces(line.text) if text)
    text = f'<text x="{LEFT}" y="{y}" xml:space="preserve">{spans}</text>'
    return f'<g style="animation-delay:{line.moment:.1f}s">{text}</g>'


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Split a line where its colour changes; yield each piece with its colour code."""
    plain, *coloured = CODE.split(text)
    yield "0", plain
    yield from zip(coloured[::2], coloured[1::2], strict=True)


def _span(code: str, text: str) -> str:
    style = STYLES.get(code) or (f"fill:{COLOURS[code]}" if code in COLOURS else "")
    return f'<tspan style="{style}">{escape(text)}</tspan>' if style else f"<tspan>{escape(text)}</tspan>"


if __name__ == "__main__":
    PICTURE.write_text(draw(hurry(list(record()))), encoding="utf-8", newline="\n")
    print(f"{PICTURE.name} was written.")

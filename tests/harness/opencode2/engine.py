"""The preview engine of OpenCode 2 as a process that ends with the one that started it."""

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from scripts.opencode_preview import installed, package
from tests.harness.processes.process import GRACE, NotReady, guarded

START = 60.0
"""Seconds that a start may take; two to three are usual, with a busy machine more."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running preview engine."""

    url: str
    password: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)


def exists_here() -> bool:
    """Return whether there is a preview engine for this kind of machine."""
    return package() is not None


@contextmanager
def running_engine(environment: Mapping[str, str], password: str) -> Generator[Engine]:
    """Serve the preview engine on a free port of loopback until the block ends; its stderr is the caller's.

    It ends when the caller ends, however that happens.

    Raises:
        NotReady: It is not installed, or does not start.
    """
    binary = installed()
    if binary is None:
        raise NotReady("The preview of OpenCode 2 is not installed for the tests: run `make setup`.")
    command = [*guarded(), str(binary), "serve", "--stdio", "--hostname", "127.0.0.1", "--port", "0"]
    secured = {**environment, "OPENCODE_PASSWORD": password}
    with subprocess.Popen(  # noqa: S603 - what the project installed
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=secured
    ) as process:
        try:
            yield Engine(_url(process), password, process)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the engine: it interrupts its runs and leaves when its standard input closes."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _url(process: subprocess.Popen[bytes]) -> str:
    if process.stdout is None:
        raise NotReady("The engine has no standard output.")
    lines = SimpleQueue[bytes]()
    Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    try:
        return str(json.loads(lines.get(timeout=START))["url"])
    except (Empty, ValueError) as error:
        raise NotReady(f"The engine printed no ready line in {START} s ({error!r}).") from error


def _read(output: IO[bytes], lines: "SimpleQueue[bytes]") -> None:
    """Pass on the first line, and read the rest, so that the engine never waits for its reader."""
    lines.put(output.readline())
    while output.read(65_536):
        pass

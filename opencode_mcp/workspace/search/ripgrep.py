"""Run ripgrep, OpenCode's own search program, if OpenCode is on this machine.

OpenCode returns at most ten matches, so pages, context and globs need the program itself. The module knows nothing of
OpenCode's HTTP API.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
from anyio import to_thread

from opencode_mcp.disk.confined import working_folder
from opencode_mcp.errors import BackendFailed, BackendTimeout, InvalidArgument
from opencode_mcp.processes.ending import FLAGS
from opencode_mcp.workspace.project_folder import ProjectFolder
from opencode_mcp.workspace.search.found_lines import LITERAL_HINT, FoundLine, TextQuery

if TYPE_CHECKING:
    from io import BufferedReader

LINE_BYTES = 400
"""Longest part of a line that is shown, in bytes."""
TIMEOUT_SECONDS = 30.0
MOST_OF_A_FILE = 2**31
"""Largest limit of matches per file that ripgrep accepts."""
# The options of OpenCode's searches: hidden files are included, git's own are not.
COMMON = ("--no-config", "--no-messages", "--color=never", "--hidden", "--sort=path")
NOT_GIT = "--glob=!.git"
# The output is read line by line, so a name with a line end could pass for another file's.
ONE_LINE_NAMES = "--glob=!*[\r\n]*"
PIECE_BYTES = 65_536
LINES = (
    # Buffered by line: a first page must not wait until a whole buffer of matches is found.
    *("--line-number", "--with-filename", "--null", "--no-heading", "--no-context-separator", "--line-buffered"),
    *(f"--max-columns={LINE_BYTES}", "--max-columns-preview"),
)
# A record: the path, a NUL, the number, a colon for a match or a hyphen for context, the text.
RECORD = re.compile(rb"([^\0]+)\0(\d+)([:-])(.*)", re.DOTALL)

TakeRecord = Callable[[bytes], bool]
"""Function that receives a line of ripgrep's output and returns True if more are wanted."""


class Ripgrep:
    """Searches folders of this machine.

    Args:
        executable: From ``ripgrep_executable.find_ripgrep``.
        environment: Environment of the process.
    """

    def __init__(self, executable: Path, environment: Mapping[str, str]) -> None:
        self._executable = executable
        self._environment = environment

    async def search(self, place: ProjectFolder, query: TextQuery, take: Callable[[FoundLine], bool]) -> None:
        """Pass on matches with their context, in the order of paths and lines, until no more are wanted.

        Files with a line end in their path are left out.

        Raises:
            InvalidArgument: The pattern is not a regular expression, or an include is not a glob.
            BackendTimeout: It took too long.
        """
        arguments = [
            *LINES,
            f"--context={query.context}",
            *([f"--max-count={min(query.per_file, MOST_OF_A_FILE)}"] if query.per_file else []),
            *(["--fixed-strings"] if query.literal else []),
            *(f"--glob={glob}" for glob in query.include),
            *(NOT_GIT, ONE_LINE_NAMES, "--", query.pattern, "."),
        ]
        complaint = await self._run(arguments, place, lambda line: _take_record(line, take))
        if complaint:
            raise invalid_pattern(complaint, query.pattern)

    async def files(self, place: ProjectFolder, glob: str, take: Callable[[str], bool]) -> None:
        """Pass on the paths of files in the order of a walk, until no more are wanted.

        Args:
            place: Folder to search; the paths are relative to it.
            glob: Only the files that match it, including those that git ignores; empty for all files that git does not
                ignore.
            take: Receives a path.

        Raises:
            InvalidArgument: The glob is invalid.
            BackendTimeout: It took too long.
        """
        complaint = await self._run(
            ["--files", "--null", *([f"--glob={glob}"] if glob else []), NOT_GIT, "--", "."],
            place,
            lambda path: take(_plain(path)),
            end=b"\0",
        )
        if complaint:
            raise invalid_pattern(complaint, glob)

    async def _run(
        self, arguments: Sequence[str], place: ProjectFolder, take: TakeRecord, *, end: bytes = b"\n"
    ) -> str:
        """Run it, and return its error output; files that it cannot read are left out silently."""
        command = [str(self._executable), *COMMON, *arguments]
        running = _Running(command, place, self._environment, end)
        try:
            with anyio.fail_after(TIMEOUT_SECONDS):
                return await to_thread.run_sync(running.listen, take, abandon_on_cancel=True)
        except TimeoutError as error:
            raise BackendTimeout(f"The search in {place.path} took more than {TIMEOUT_SECONDS:.0f} s.") from error
        except OSError as error:
            raise BackendFailed(f"{self._executable} does not run: {error}.") from error
        finally:
            running.end()


class _Running:
    """Process of ripgrep, read in a thread and ended from outside.

    Args:
        command: The executable and its arguments.
        place: The working directory.
        environment: The whole environment.
        end: The byte that ends each record of the output.
    """

    def __init__(
        self, command: Sequence[str], place: ProjectFolder, environment: Mapping[str, str], end: bytes
    ) -> None:
        self._command = command
        self._place = place
        self._environment = environment
        self._end = end
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def listen(self, take: TakeRecord) -> str:
        """Start it and pass on its output until no more is wanted; return its error output."""
        with self._start() as process:
            assert process.stdout  # noqa: S101 - a pipe was requested
            assert process.stderr  # noqa: S101
            for record in _records(cast("BufferedReader", process.stdout), self._end):
                if self._ended or not take(record):
                    process.kill()
                    return ""
            return process.stderr.read().decode(errors="replace").strip()

    def _start(self) -> subprocess.Popen[bytes]:
        with working_folder(*self._place) as directory:
            self._process = subprocess.Popen(  # noqa: S603 - the search program, with arguments that no shell reads
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=self._environment,
                creationflags=FLAGS,
            )
        if self._ended:
            self._process.kill()
        return self._process

    def end(self) -> None:
        """End it at any time, even before it has started."""
        self._ended = True
        if self._process:
            self._process.kill()


def _records(printed: "BufferedReader", end: bytes) -> Iterator[bytes]:
    """Yield the records of the output as they arrive, without the byte that ends each."""
    if end == b"\n":
        yield from (line.removesuffix(end) for line in printed)
        return
    rest = b""
    while piece := printed.read1(PIECE_BYTES):
        *records, rest = (rest + piece).split(end)
        yield from records
    if rest:
        yield rest


def _take_record(line: bytes, take: Callable[[FoundLine], bool]) -> bool:
    """Pass on a record; other lines report binary files."""
    record = RECORD.fullmatch(line)
    if record is None:
        return True
    path, number, kind, text = record.groups()
    shown = text.decode(errors="replace").removesuffix("\r")
    return take(FoundLine(_plain(path), int(number), shown, matched=kind == b":"))


def _plain(path: bytes) -> str:
    text = path.decode(errors="replace")
    return (text.replace("\\", "/") if sys.platform == "win32" else text).removeprefix("./")


def invalid_pattern(complaint: str, pattern: str) -> InvalidArgument:
    """Return ripgrep's complaint about a pattern or a glob as a sentence."""
    first = complaint.partition("\n\n")[0].removeprefix("rg: ")
    reason = " ".join(first.rpartition("error: ")[2].split()).rstrip(".")
    if reason.startswith("error parsing glob"):
        return InvalidArgument(f"A glob is invalid: {reason}.", hint="It looks like src/**/*.py.")
    return InvalidArgument(f"The pattern {pattern!r} is invalid: {reason}.", hint=LITERAL_HINT)

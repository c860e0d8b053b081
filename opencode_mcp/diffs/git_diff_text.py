"""Parse the output of ``git diff`` by file; OpenCode returns it as text (``vcs.diff.raw``).

Pure. The answers of ``vcs.diff`` need no parsing: they are ``FileDiff`` objects.
"""

import re
from collections.abc import Mapping, Sequence

from opencode_mcp.diffs.patches import count, parse
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff

FILE_START = re.compile(r"^(?=diff --git )", re.MULTILINE)
ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
ESCAPED: Mapping[int, int] = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))
NOWHERE = "/dev/null"
PATHS = (("rename to ", 0), ("copy to ", 0), ("+++ ", 2), ("--- ", 2), ("rename from ", 0), ("copy from ", 0))
"""Header lines that name the file, the most reliable first, each with the length of git's prefix of the path."""
STATUSES: Mapping[str, str] = {"new file mode ": "added", "deleted file mode ": "deleted", "rename from ": "renamed"}


def parse_raw(text: str) -> list[FileDiff]:
    """Split a raw patch by file; a renamed file has the status ``renamed`` and its new path."""
    return [_file(chunk) for chunk in _chunks(text)]


def paths_in(text: str) -> list[str]:
    """Return every path in a raw patch; both paths of a renamed or copied file."""
    headers = [parse(chunk).header for chunk in _chunks(text)]
    return list(dict.fromkeys(path for header in headers for path in _paths(header)))


def unquote(path: str) -> str:
    """Undo git's quoting of paths with unusual characters."""
    if not (path.startswith('"') and path.endswith('"')):
        return path
    return ESCAPE.sub(_unescape, path[1:-1].encode()).decode(errors="replace")


def _chunks(text: str) -> list[str]:
    return [chunk for chunk in FILE_START.split(text) if chunk.startswith("diff --git ")]


def _file(chunk: str) -> FileDiff:
    patch = parse(chunk)
    edits = [edit for hunk in patch.hunks for edit in hunk.edits]
    status = next((status for start, status in STATUSES.items() if _after(start, patch.header)), "modified")
    return FileDiff(
        file=_paths(patch.header)[0],
        patch=chunk.strip("\n") + "\n",
        additions=count(edits, "+"),
        deletions=count(edits, "-"),
        status=status,
    )


def _paths(header: Sequence[str]) -> list[str]:
    """Return the paths of a file, the new one first."""
    named = [(unquote(_after(start, header)), marks) for start, marks in PATHS]
    found = [path[marks:] for path, marks in named if path and path != NOWHERE]
    if found:
        return found
    # The header of a file without text has only its first line: the same path twice, as a/path and b/path.
    paths = header[0].removeprefix("diff --git ")
    return [unquote(paths[: len(paths) // 2])[2:]]


def _after(start: str, header: Sequence[str]) -> str:
    return next((line.removeprefix(start).removesuffix("\t") for line in header if line.startswith(start)), "")


def _unescape(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([ESCAPED[code[0]] if code[0] in ESCAPED else int(code, 8) & 0xFF])

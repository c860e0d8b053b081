"""Files that a tool call can change: those that it names, or any. Pure."""

import posixpath
import re
from collections.abc import Iterator

from opencode_mcp.diffs.read_only_commands import reads_only
from opencode_mcp.opencode.vocabulary.wire.parts import SUBAGENT_TOOLS, ToolPart
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text

EDITORS = frozenset({"edit", "write", "patch", "apply_patch", "multiedit"})
"""Tools that change the files which they name, and no others."""
READERS = frozenset(
    {
        *("read", "grep", "glob", "list", "lsp", "webfetch", "websearch", "codesearch", "skill", "question"),
        *("todowrite", "todoread", "plan_enter", "plan_exit", "invalid", "StructuredOutput"),
    }
)
"""Tools that change no file."""
SHELLS = frozenset({"bash", "shell"})
"""Tools that run a shell line, in both generations of OpenCode."""
PATH_ARGUMENTS = ("filePath", "path", "file_path", "filepath")
"""Arguments that name the file: those of OpenCode 1 and 2, and of older versions."""
PATH_FIELDS = ("file", "filePath", "movePath", "path")
"""Fields of a changed file in the metadata of a call."""
COUNTS = ("additions", "deletions")
"""Fields with the numbers of changed lines in the metadata of a call."""
PATCHED = re.compile(r"^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$", re.MULTILINE)
"""Line of a patch that names a file."""
LEVELS = 50
"""Folders above a directory that can be its worktree."""
DRIVE = re.compile(r"[A-Za-z]:/")


def can_write(call: ToolPart) -> bool:
    """Return True if a call has begun and may change files. A subagent's calls are in its own session."""
    if call.tool in READERS or call.tool in SUBAGENT_TOOLS or call.state.status == "pending":
        return False
    return call.tool not in SHELLS or not reads_only(as_text(call.state.input.get("command")))


def names_files(call: ToolPart) -> bool:
    """Return True if a call changes only the files that it names."""
    return call.tool in EDITORS


def named_files(call: ToolPart, directory: str) -> frozenset[str]:
    """Return the absolute paths of the files that an editing call has changed; none if it has not succeeded.

    Args:
        call: The call.
        directory: Directory of its session.
    """
    if not names_files(call) or call.state.status != "completed":
        return frozenset()
    return frozenset(absolute(path, directory) for path in _paths(call) if path)


def has_changed_something(call: ToolPart) -> bool:
    """Return True if the result of an editing call shows that it changed lines of a file, or made one.

    That of OpenCode 2 for a written file shows neither.
    """
    metadata = call.state.metadata
    difference = as_map(metadata.get("filediff"))
    counts = [as_number(entry.get(name)) for entry in [difference, *as_maps(metadata.get("files"))] for name in COUNTS]
    return metadata.get("exists") is False or any(counts)


def _paths(call: ToolPart) -> Iterator[str]:
    arguments, metadata = call.state.input, call.state.metadata
    for name in PATH_ARGUMENTS:
        yield as_text(arguments.get(name))
        yield as_text(metadata.get(name))
    yield as_text(as_map(metadata.get("filediff")).get("file"))
    for file in as_maps(metadata.get("files")):
        for name in PATH_FIELDS:
            yield as_text(file.get(name))
    if "patch" in call.tool:
        for value in arguments.values():
            yield from PATCHED.findall(as_text(value))


def absolute(path: str, directory: str) -> str:
    """Return a path as an absolute one with forward slashes; a relative one is in the directory."""
    plain = path.strip().replace("\\", "/")
    if not plain.startswith("/") and not DRIVE.match(plain):
        plain = f"{directory}/{plain}".replace("\\", "/")
    return posixpath.normpath(plain)


def possible_paths(file: str, directory: str) -> frozenset[str]:
    """Return the absolute paths that a file of a diff can have.

    Args:
        file: Path in the diff: absolute, or relative to the directory, or to the worktree that the directory is in.
        directory: Directory of the session.
    """
    base = absolute(".", directory)
    paths = {absolute(file, base)}
    for _ in range(LEVELS):
        base = posixpath.dirname(base)
        paths.add(absolute(file, base))
        if base in {"", "/"}:
            break
    return frozenset(paths)

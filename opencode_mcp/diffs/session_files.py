"""Files that the messages of a session show as changed, with the numbers of lines as far as the calls show them. Pure.

An editing call names its files. What a command or a subagent changed is only known from OpenCode's comparison of the
files before and after a step, which counts the work of others at the same time, too. Such a file is not certain.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opencode_mcp.diffs.authorship import Period, WriteCall, period_of
from opencode_mcp.diffs.named_files import COUNTS, PATH_FIELDS, absolute, can_write, named_files, names_files
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import PatchPart, ToolPart
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text

NEW_FILE = "Created file"
"""Beginning of the result of OpenCode 2 for a written file that did not exist."""
Lines = tuple[int, int]
"""Numbers of added and of removed lines."""


@dataclass(frozen=True, slots=True)
class SessionFile:
    """File that a session changed."""

    path: str
    """Absolute path."""
    lines: Lines | None
    """Lines that its calls added and removed, one after the other; ``None`` if a call shows no numbers."""
    is_certain: bool
    """False if a command or a subagent of the session, or another session at the same time, may have changed it."""
    differed: tuple[Period, ...] = ()
    """Times of the steps after which it differed, if it is not certain."""

    def is_of(self, others: Sequence[WriteCall]) -> bool:
        """Return True if it is not certain, and known changes of others explain it each time."""
        changes = [call.period for call in others if self.path in call.files]
        return bool(self.differed) and all(period.overlaps_any(changes) for period in self.differed)


def session_files(messages: Iterable[Message], directory: str) -> list[SessionFile]:
    """Return the files that some messages of a session show as changed, those that editing calls name first.

    Args:
        messages: The messages.
        directory: Directory of the session.
    """
    named: dict[str, Lines | None] = {}
    perhaps: dict[str, tuple[Period, ...]] = {}
    ordered = sorted(messages, key=lambda message: message.info.time.created)
    for earlier, message in zip([None, *ordered], ordered, strict=False):
        for call in message.tool_calls:
            for path, lines in _lines_of(call, directory).items():
                named[path] = _sum(named.get(path, (0, 0)), lines)
        if any(map(_is_open, message.tool_calls)):
            for path in _differing(message, directory):
                perhaps[path] = (*perhaps.get(path, ()), _period_of_step(message, earlier))
    certain = [SessionFile(path, lines, is_certain=True) for path, lines in sorted(named.items())]
    unnamed = sorted(perhaps.keys() - named.keys())
    return certain + [SessionFile(path, None, is_certain=False, differed=perhaps[path]) for path in unnamed]


def _period_of_step(message: Message, earlier: Message | None) -> Period:
    """Return the time of a step: OpenCode 2 dates its message only from the first output of the model on."""
    own = period_of(message)
    if earlier is None:
        return own
    time = earlier.info.time
    return Period(min(own.begin, time.completed or time.created), own.end)


def _is_open(call: ToolPart) -> bool:
    """Return True if a call may have changed any file."""
    return bool(call.child_session) or (can_write(call) and not names_files(call))


def _differing(message: Message, directory: str) -> list[str]:
    """Return the absolute paths of the files that differed after a step."""
    parts = [part for part in message.parts if isinstance(part, PatchPart)]
    return [absolute(path, directory) for part in parts for path in part.files]


def _sum(lines: Lines | None, more: Lines | None) -> Lines | None:
    return (lines[0] + more[0], lines[1] + more[1]) if lines and more else None


def _lines_of(call: ToolPart, directory: str) -> dict[str, Lines | None]:
    """Return the files that an editing call has changed, with the lines of each."""
    files = named_files(call, directory)
    if len(files) == 1:
        return dict.fromkeys(files, _all_lines(call))
    found: dict[str, Lines | None] = dict.fromkeys(files)
    for entry in as_maps(call.state.metadata.get("files")):
        for name in PATH_FIELDS:
            path = absolute(as_text(entry.get(name)) or ".", directory)
            if path in found:
                found[path] = _counted(entry)
    return found


def _all_lines(call: ToolPart) -> Lines | None:
    """Return the lines that a call for one file changed."""
    metadata = call.state.metadata
    if difference := as_map(metadata.get("filediff")):
        return _counted(difference)
    if metadata.get("exists") is False or call.state.output.startswith(NEW_FILE):
        content = as_text(call.state.input.get("content"))
        return len(content.splitlines()), 0
    return None


def _counted(entry: JsonMap) -> Lines | None:
    added, removed = (as_number(entry.get(name)) for name in COUNTS)
    return None if added is None or removed is None else (int(added), int(removed))

"""Read the templates of slash commands where OpenCode does not return them.

A command is defined in a settings document, which OpenCode returns, or in a Markdown file of a folder that it names.
The strongest definition replaces the others. All of them are returned, since a file may have changed meanwhile.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.opencode.vocabulary.command_source import CommandSource
from opencode_mcp.workspace.configuration.command_template import COMMAND_CHARACTERS

FOLDERS = ("command", "commands")
FRONT_MATTER = re.compile(r"\A\ufeff?---[^\n]*\n.*?^---[^\n]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
"""Settings of a command at the beginning of its file."""


def find_templates(sources: Sequence[CommandSource], name: str) -> list[str]:
    """Return the template of a command in each place that defines it; nothing if none does, or a file is unreadable.

    Reads files and may block.

    Args:
        sources: Places, as OpenCode returns them.
        name: Name without the slash.
    """
    found: list[str] = []
    try:
        for source in sources:
            if name in source.templates:
                found.append(source.templates[name])
            if source.folder:
                found += [FRONT_MATTER.sub("", text) for text in _texts(Path(source.folder), name)]
    except (OSError, ValueError):
        return []
    return found


def _texts(folder: Path, name: str) -> list[str]:
    """Return the texts of a command's files in a folder; a name that leads elsewhere names none.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is too long, or is not text.
    """
    if not name or ".." in PurePath(name).parts or PurePath(name).is_absolute():
        return []
    paths = (folder / place / f"{name}.md" for place in FOLDERS)
    return [_text(path) for path in paths if path.is_file()]


def _text(path: Path) -> str:
    content = read_beginning(path, COMMAND_CHARACTERS + 1, follow=True)
    if len(content) > COMMAND_CHARACTERS:
        raise ValueError(path)
    return content.decode("utf-8")

"""Place in which OpenCode finds slash commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSource:
    """Settings document with commands, or folder with a Markdown file for each command."""

    templates: Mapping[str, str] = field(default_factory=dict[str, str])
    """Templates of a document's commands, by the name of the command."""
    folder: str = ""
    """Absolute path on OpenCode's machine; the files are in its folders ``command`` and ``commands``."""

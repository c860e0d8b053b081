"""Work that a caller hands to OpenCode: a prompt, a slash command, or a shell line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Attachment(NamedTuple):
    """File part of a prompt."""

    mime: str
    url: str
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSubmission:
    """Prompt for a session; empty texts leave the choice to OpenCode."""

    message_id: str
    """Id that the user's message gets."""
    text: str
    files: Sequence[Attachment] = ()
    agent: str = ""
    model: str = ""
    """Model as ``provider/model``."""
    variant: str = ""
    output_schema: Mapping[str, Any] | None = None
    """JSON Schema of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSubmission:
    """Slash command for a session; empty texts leave the choice to the command, then to OpenCode."""

    message_id: str
    name: str
    """Name without the slash."""
    arguments: str
    """Text behind the name."""
    agent: str = ""
    model: str = ""
    """Model as ``provider/model``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSubmission:
    """Shell line for a session; the agent sees what it printed."""

    message_id: str
    line: str
    agent: str
    """Agent whose settings apply, though no model takes part."""

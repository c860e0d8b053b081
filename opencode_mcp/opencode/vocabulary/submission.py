"""Work that a caller hands to OpenCode: a prompt, a slash command, or a shell line; and OpenCode's receipt for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Attachment(NamedTuple):
    """File part of a prompt."""

    mime: str
    url: str
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Settings of a new session that its first submission has too; empty texts leave the choice to OpenCode."""

    agent: str = ""
    model: str = ""
    """Model as ``provider/model``."""
    variant: str = ""


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
    is_first: bool = False
    """True if the session was created for this prompt, with its agent, model and variant."""
    output_schema: Mapping[str, Any] | None = None
    """JSON Schema of the answer; see ``features.Features``."""
    metadata: Mapping[str, object] | None = None
    """Data that OpenCode 2 keeps with the message; OpenCode 1 keeps none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSubmission:
    """Slash command for a session; empty texts leave the choice to the command, then to OpenCode."""

    message_id: str
    """Id that the prompt's message gets, if OpenCode takes one; see ``features.Features``."""
    name: str
    """Name without the slash."""
    arguments: str
    """Text behind the name."""
    agent: str = ""
    model: str = ""
    """Model as ``provider/model``."""
    is_first: bool = False
    """True if the session was created for this command, with its agent and model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSubmission:
    """Shell line for a session; the agent sees what it printed."""

    message_id: str
    line: str
    agent: str
    """Agent whose settings apply, though no model takes part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Answer to a submission that OpenCode has received."""

    message_id: str
    """Id of its prompt's message."""
    agent: str = ""
    """Agent that the session uses from now on, if the submission changed it."""
    model: str = ""
    """Model that the session uses from now on, as ``provider/model``, if the submission changed it."""
    variant: str = ""
    """Variant of that model; empty: none."""

"""Work that a caller hands to OpenCode: a prompt, a slash command, or a shell line; and what OpenCode makes of it."""

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
    """JSON Schema of the answer; see ``Features``."""
    metadata: Mapping[str, object] | None = None
    """Data that OpenCode 2 keeps with the message; OpenCode 1 keeps none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSubmission:
    """Slash command for a session; empty texts leave the choice to the command, then to OpenCode."""

    message_id: str
    """Id that the prompt's message gets, if OpenCode takes one; see ``Features``."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Abilities in which the generations of OpenCode differ."""

    output_schemas: bool
    """True if a prompt can have a schema of its answer. Without it, the schema has to be part of the text."""
    command_ids: bool
    """True if a slash command can have an id for its prompt's message. Without it, OpenCode chooses the id."""
    retry_status: bool
    """True if the status of a session tells a pause before the model is asked again from other work."""
    todos: bool
    """True if a session can have a todo list."""
    message_reader: str
    """Id of the operation that reads a message; its arguments are ``sessionID`` and ``messageID``."""
    keeps_removed_cost: bool
    """True if the cost of a session keeps that of messages that were removed, and has that of its title."""
    mentions_in_worktree: bool
    """True if a file that a slash command mentions is relative to the worktree. Otherwise it is relative to the
    directory of the session, and files that shell lines of the command mention are attached too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Work that OpenCode has received."""

    message_id: str
    """Id of its prompt's message."""
    agent: str = ""
    """Agent that the session uses from now on, if the submission changed it."""
    model: str = ""
    """Model that the session uses from now on, as ``provider/model``, if the submission changed it."""
    variant: str = ""
    """Variant of that model; empty: none."""

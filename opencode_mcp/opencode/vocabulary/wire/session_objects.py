"""Sessions, their status, and their todo lists."""

from opencode_mcp.opencode.vocabulary.wire.shared_values import Span, Tokens
from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire


class Revert(Wire):
    """Point to which a session was reverted, and the changes that this made."""

    message_id: str = ""
    diff: str = ""


class Session(Wire):
    """Answer of ``session.get``."""

    id: str
    title: str = ""
    directory: str = ""
    parent_id: str | None = None
    project_id: str = ""
    time: Span = Span()
    cost: float | None = None
    """Cost of its own messages in US dollars, without those of its subagents; see ``counts_copies``."""
    tokens: Tokens = Tokens()
    """Tokens of its own messages; see ``counts_copies``."""
    revert: Revert | None = None
    """Present from a revert until it is cancelled, or made final by the next prompt."""
    forked_from: str = ""
    """The session whose messages it began with; empty if it is no fork, or that is not known."""
    counts_copies: bool = False
    """True if its cost and tokens may include those of the messages that a fork copied."""
    renamed: float = 0
    """Time of its renaming, in milliseconds since the epoch, if that is no change to OpenCode."""

    @property
    def changed(self) -> float:
        """Return the time of its last change, in milliseconds since the epoch."""
        return max(self.time.updated, self.time.archived or 0, self.renamed)


class SessionStatus(Wire):
    """Entry of ``session.status``; a session without an entry is idle."""

    type: str
    attempt: int = 0
    message: str = ""
    next: float = 0
    """Time of the next request to the model, in milliseconds since the epoch."""


class Todo(Wire):
    """Entry of a session's todo list."""

    content: str = ""
    status: str = "pending"
    priority: str = ""

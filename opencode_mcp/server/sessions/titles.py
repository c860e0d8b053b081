"""Titles of sessions, for lines of text."""

from typing import TYPE_CHECKING

from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

UNTITLED = "untitled"


def title_of(session: "Session") -> str:
    """Return the title of a session; empty if it has only the one that OpenCode gives to every new session."""
    return one_line(made_title(session.title))


def shown_title(session: "Session") -> str:
    """Return the title of a session for a text that needs one."""
    return title_of(session) or UNTITLED

"""Name of a session in a text for a model."""

from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.text.outside_text import one_line


def session_name(session_id: str, title: str) -> str:
    """Return a session's id with its title, if it has more than the one that every new session gets."""
    name = one_line(made_title(title))
    return f'{session_id} "{name}"' if name else session_id

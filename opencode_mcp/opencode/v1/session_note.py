"""Note in a session's metadata with what OpenCode 1 does not keep (seen in 1.18.33). Pure.

- The cost and the tokens of a fork begin with those of the copied messages, and nothing names the session that was
  forked. The note has both. A fork that another client made has no note: only its title shows that it is one.
- Renaming a session does not change the time of its last change. The note has the time.
"""

import re

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

NOTE_KEY = "opencode-mcp-session"
"""Key of the note in a session's metadata."""
FORK_TITLE = re.compile(r"\(fork #\d{1,9}\)\s*$")
"""End of the title that OpenCode gives a fork."""
COUNTED = ("input", "output", "reasoning")
"""Kinds of tokens that are counted."""


def fork_metadata(fork: Session, source_id: str) -> dict[str, object]:
    """Return the metadata of a new fork with a note in it.

    Args:
        fork: The fork as OpenCode created it: all that it counts is copied.
        source_id: The session that was forked.
    """
    copied = {name: float(getattr(fork.tokens, name)) for name in COUNTED}
    return _with_note(fork, {"from": source_id, "cost": fork.cost or 0, "tokens": copied})


def renamed_metadata(session: Session, milliseconds: float) -> dict[str, object]:
    """Return the metadata of a session with the time of its renaming, in milliseconds since the epoch."""
    return _with_note(session, {"renamed": milliseconds})


def session_of(value: object) -> Session:
    """Parse a session; the cost and tokens of a fork with a note are its own.

    Raises:
        BackendFailed: A field is missing that every known OpenCode sends.
    """
    session = Session.read(value)
    note = _note_of(session)
    if not note.get("from"):
        return session.model_copy(
            update={"renamed": as_number(note.get("renamed")) or 0, "counts_copies": _is_named_as_fork(session)}
        )
    copied = as_map(note.get("tokens"))
    own = {name: max(getattr(session.tokens, name) - (as_number(copied.get(name)) or 0), 0) for name in COUNTED}
    return session.model_copy(
        update={
            "renamed": as_number(note.get("renamed")) or 0,
            "forked_from": as_text(note.get("from")),
            "cost": max((session.cost or 0) - (as_number(note.get("cost")) or 0), 0),
            "tokens": session.tokens.model_copy(update=own),
        }
    )


def _is_named_as_fork(session: Session) -> bool:
    return FORK_TITLE.search(session.title) is not None


def _note_of(session: Session) -> JsonMap:
    """Return the note of a session; an empty one if it has none of its own: a fork copies that of its source."""
    note = as_map(_metadata_of(session).get(NOTE_KEY))
    return note if note.get("session") == session.id else {}


def _with_note(session: Session, fields: JsonMap) -> dict[str, object]:
    return {**_metadata_of(session), NOTE_KEY: {"session": session.id, **_note_of(session), **fields}}


def _metadata_of(session: Session) -> JsonMap:
    return as_map((session.model_extra or {}).get("metadata"))

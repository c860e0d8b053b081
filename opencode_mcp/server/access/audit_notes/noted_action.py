"""Session, directory and tool of a request whose parameters and result do not name them, for the audit log."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class NotedAction:
    """Description of what a request does; each text is empty until it is known."""

    tool: str = ""
    """The tool by which a caller would do the same."""
    session: str = ""
    """The session, or the batch."""
    directory: str = ""


_noted: ContextVar[NotedAction | None] = ContextVar("_noted", default=None)


@contextmanager
def noted_action() -> Generator[NotedAction]:
    """Yield an object that gets what the block does."""
    action = NotedAction()
    token = _noted.set(action)
    try:
        yield action
    finally:
        _noted.reset(token)


def note_action(tool: str = "", session: str = "", directory: str = "") -> None:
    """Note what the present request does; empty texts change nothing."""
    action = _noted.get()
    if action is not None:
        action.tool = tool or action.tool
        action.session = session or action.session
        action.directory = directory or action.directory

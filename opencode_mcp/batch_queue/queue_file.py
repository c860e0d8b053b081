"""Path of the queue's file, apart from ``store.py``, since looking for the file must not import SQLite."""

from pathlib import Path


def queue_file(state_directory: Path) -> Path:
    """Return the path of the file of the queue in a state folder."""
    return state_directory / "batches" / "queue.sqlite3"

"""A link that takes the place of a file or folder again and again, as somebody would who wants to get past a check."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def swapping(path: Path, target: Path) -> Generator[None]:
    """Put a link in the place of a file or folder, and take it away again, all the time."""
    kept, link = path.with_name("kept"), path.with_name("link")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            link.symlink_to(target)
            path.rename(kept)
            link.rename(path)
            path.unlink()
            kept.rename(path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

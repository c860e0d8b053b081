"""Pause of Python's garbage collector while the parts of the server are made."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Generator[None]:
    """Run the block without the garbage collector, and exempt from it what then exists.

    Imports and the tools make hundreds of thousands of objects, and nearly all of them stay as long as the process. The
    collector examines them again and again, which takes a tenth of the time of a start, and finds less than 1 MB to
    free. Later it would examine them in the middle of a call. ``gc.freeze`` takes them out of its lists; an object
    without references is still freed at once.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

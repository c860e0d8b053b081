"""Recognise that a program failed because a disk is full: often it names only the file that it could not write."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable

FULL = ("No space left on device", "Disk quota exceeded")
EXISTS = "File exists"
WRITING = re.compile(
    r"\b(unable to|could not|cannot|failed to) (write|create|append|lock|copy)|write error", re.IGNORECASE
)
LITTLE_SPACE = 1 << 20
"""Bytes; what is left when git could not write a file is mostly less than that file."""
FEW_FILES = 16
AGAIN = "make some space, and call again."


def space_hint(complaint: str, places: Iterable[str]) -> str:
    """Return a hint if a program failed because a disk is full; empty if there is no sign of that.

    Args:
        complaint: Its error text, in English.
        places: Folders in which it writes, besides the one for temporary files.
    """
    is_full = any(sign in complaint for sign in FULL)
    if not is_full and (EXISTS in complaint or not WRITING.search(complaint)):
        return ""
    for place in (*places, *_temporary_folder()):
        if hint := _lack_in(place):
            return hint
    return f"A disk is full: {AGAIN}" if is_full else ""


def _temporary_folder() -> list[str]:
    """Return the folder for temporary files; nothing if there is none that can be used."""
    try:
        return [tempfile.gettempdir()]
    except OSError:
        return []


def _lack_in(folder: str) -> str:
    """Return a hint if the disk of a folder is nearly full; empty if it is not."""
    try:
        free, files = shutil.disk_usage(folder).free, _free_files(folder)
    except OSError:
        return ""
    if free < LITTLE_SPACE:
        return f"Only {free >> 10} kB are free on the disk of {folder}: {AGAIN}"
    return f"The disk of {folder} has room for only {files} more files: {AGAIN}" if files < FEW_FILES else ""


def _free_files(folder: str) -> float:
    """Return how many more files the disk of a folder can have; infinity where there is no limit."""
    if sys.platform == "win32":
        return float("inf")
    found = os.statvfs(folder)
    return found.f_favail if found.f_files else float("inf")

"""A file system of a few megabytes, which a test can fill."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

FILLER = "filler"
BLOCK = 4096


@contextmanager
def small_disk(folder: Path, size: int) -> Generator[Path]:
    """Mount a file system of so many bytes at a folder until the block ends; skip the test where that is refused."""
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("Only the root user of a Linux can mount a small file system.")
    folder.mkdir(parents=True)
    options = f"size={size},mode=0700"
    done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True)  # noqa: S603 - our own
    if done.returncode:
        pytest.skip(f"No small file system can be mounted here: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607 - our own


def fill(disk: Path, free: int) -> None:
    """Leave so many bytes free."""
    filler = disk / FILLER
    filler.unlink(missing_ok=True)
    room = shutil.disk_usage(disk).free - free
    with filler.open("wb") as file, suppress(OSError):
        for _ in range(max(room, 0) // BLOCK):
            file.write(bytes(BLOCK))
            file.flush()


def make_room(disk: Path) -> None:
    """Take the filling away."""
    (disk / FILLER).unlink(missing_ok=True)

"""Locks on files, which the kernel releases when their holder dies, however it dies. Nothing here waits."""

from pathlib import Path

import filelock

from opencode_mcp.disk.private_modes import PRIVATE_FILE

LEASES = "*.lease"


def file_lock(path: Path) -> "filelock.FileLock":
    """Return the lock on a file, not yet taken."""
    return filelock.FileLock(path, mode=PRIVATE_FILE, thread_local=False)


def try_lock(path: Path) -> "filelock.FileLock | None":
    """Take a lock if it is free.

    Raises:
        OSError: The file cannot be created.
    """
    lock = file_lock(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return None
    return lock


def any_lease_lives(folder: Path, *, besides: Path | None = None) -> bool:
    """Return True if a bridge holds a lease in a folder; the leases of dead bridges are removed.

    Args:
        folder: Folder of the leases.
        besides: The caller's own lease, which does not count.
    """
    others = [path for path in folder.glob(LEASES) if path != besides]
    live = [path for path in others if not _remove_if_stale(path)]
    return bool(live)


def lease_lives(path: Path) -> bool:
    """Return True if a bridge holds a lease; the lease of a dead bridge is removed."""
    return path.exists() and not _remove_if_stale(path)


def _remove_if_stale(path: Path) -> bool:
    lock = try_lock(path)
    if lock is None:
        return False
    # Windows removes no file that is open.
    lock.release()
    path.unlink(missing_ok=True)
    return True

"""Tells one process from a later one of the same id, by when it was born.

Each system says it in its own way and form, so a birth is a text that is only ever compared; empty for a process that
does not run, a zombie included.
"""

import subprocess
import sys
from pathlib import Path

PS = "/bin/ps"
PS_TIMEOUT = 5.0
ENDED = "ZX"
"""First letters of the states of a process that has ended and was not yet waited for."""


def of_proc(pid: int) -> str:
    """On Linux."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name, in parentheses, may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ENDED else fields[19]


def of_ps(pid: int) -> str:
    """On macOS and the BSDs."""
    command = [PS, "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    # Another locale or time zone would spell the same moment differently.
    shown = subprocess.run(  # noqa: S603 - the command is ours
        command, check=False, capture_output=True, text=True, timeout=PS_TIMEOUT, env={"LC_ALL": "C", "TZ": "UTC"}
    )
    state, _, born = shown.stdout.strip().partition(" ")
    return "" if state[:1] in ENDED else " ".join(born.split())


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    QUERY = 0x1000
    STILL_ACTIVE = 259

    def of_kernel(pid: int) -> str:
        """On Windows."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = wintypes.HANDLE(kernel.OpenProcess(QUERY, False, pid))
        if not handle:
            return ""
        code = wintypes.DWORD()
        created, *others = (wintypes.FILETIME() for _ in range(4))
        try:
            kernel.GetExitCodeProcess(handle, ctypes.byref(code))
            kernel.GetProcessTimes(handle, ctypes.byref(created), *map(ctypes.byref, others))
        finally:
            kernel.CloseHandle(handle)
        running = code.value == STILL_ACTIVE
        return str(created.dwHighDateTime << 32 | created.dwLowDateTime) if running else ""

    born = of_kernel
elif sys.platform == "linux":
    born = of_proc
else:
    born = of_ps

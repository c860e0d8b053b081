"""Check whether a process listens at an address.

A port is free as soon as its process has ended, and any user of the machine can take it. Before a client sends the
first byte, this check makes sure that the started process lives and owns the listening socket, itself or through a
descendant.
"""

import sys
from collections.abc import Iterable

from opencode_mcp.processes.process_table import descendants

LOCAL = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - nothing is bound to it
"""Addresses at which a server listens that answers at 127.0.0.1."""

if sys.platform == "linux":
    import os
    import socket
    from contextlib import suppress
    from pathlib import Path

    LISTENING = "0A"
    TABLE = Path("/proc/net/tcp")

    def listens(pid: int, host: str, port: int) -> bool:
        """Return True if every socket that listens at an IPv4 address belongs to the process or its descendants."""
        wanted = _listening(host, port)
        if not wanted:
            return False
        # It is nearly always the process itself, and a search for its descendants reads all of /proc.
        return wanted <= _sockets([pid]) or wanted <= _sockets([pid, *descendants(pid)])

    def owns(pid: int, port: int) -> bool:
        """Return True if the process itself owns every socket that listens at a port of this machine, over IPv4."""
        wanted = {inode for host in LOCAL for inode in _listening(host, port)}
        return bool(wanted) and wanted <= _sockets([pid])

    def _listening(host: str, port: int) -> set[str]:
        """Return the inodes of the sockets that listen there."""
        address = f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
        rows = (line.split() for line in TABLE.read_text(encoding="ascii").splitlines()[1:])
        return {row[9] for row in rows if row[1] == address and row[3] == LISTENING}

    def _sockets(pids: Iterable[int]) -> set[str]:
        """Return the inodes of the open sockets of processes."""
        found = set[str]()
        for pid in pids:
            with suppress(OSError):
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        found.add(os.readlink(entry))  # noqa: PTH115 - a socket's link is no path
        return {link.removeprefix("socket:[").removesuffix("]") for link in found}

else:
    import psutil

    def listens(pid: int, host: str, port: int) -> bool:
        """Return True if the process or one of its descendants listens at an address."""
        return any(_listens(one, host, port) for one in (pid, *descendants(pid)))

    def owns(pid: int, port: int) -> bool:
        """Return True if the process itself listens at a port of this machine, over IPv4."""
        return any(_listens(pid, host, port) for host in LOCAL)

    def _listens(pid: int, host: str, port: int) -> bool:
        try:
            connections = psutil.Process(pid).net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(one.status == psutil.CONN_LISTEN and one.laddr == (host, port) for one in connections)

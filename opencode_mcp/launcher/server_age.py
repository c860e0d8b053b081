"""Age of the OpenCode process that answers at an address of this machine: it did nothing before it began.

What listens at the address may be something else than OpenCode, such as the end of a tunnel. So a process counts only
if OpenCode names it (version 2), or if its program is called like OpenCode.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyio import to_thread

from opencode_mcp.processes.port_owner import owns
from opencode_mcp.processes.process_table import age_seconds, programs
from opencode_mcp.settings import LOOPBACK_NAMES

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint

PROGRAM = re.compile(r"\.?opencode(2|-wrapped)?(\.exe)?", re.IGNORECASE)
"""File names of OpenCode's program; some package managers put a script in its place and rename it."""


async def server_age(endpoint: "Endpoint", pid: int | None) -> float | None:
    """Return the seconds since the process began that answers at an endpoint; ``None`` if this is not known.

    Args:
        endpoint: The endpoint.
        pid: Id of the process, if the server says it.
    """
    address = urlsplit(endpoint.url)
    if address.hostname not in LOOPBACK_NAMES or address.port is None:
        return None
    return await to_thread.run_sync(_age, endpoint.pid or pid, address.port)


def _age(known: int | None, port: int) -> float | None:
    owners = [pid for pid in _candidates(known) if owns(pid, port)]
    # A socket that several processes share says nothing.
    return age_seconds(owners[0]) if len(owners) == 1 else None


def _candidates(known: int | None) -> Iterable[int]:
    return [known] if known else (pid for pid, program in programs() if PROGRAM.fullmatch(program))

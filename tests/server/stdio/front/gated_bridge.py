"""The bridge with an import of the SDK that waits: run as ``gated_bridge.py GATE``, with a named pipe.

The import begins when somebody has opened the pipe for writing and closed it again.
"""

import sys
from functools import partial
from pathlib import Path

from opencode_mcp.cli import load_server, run_server
from opencode_mcp.server.stdio.front.front import serve_early
from opencode_mcp.settings import Settings, resolve


def load_behind_gate(settings: Settings) -> None:
    """Wait for the gate, then import."""
    Path(sys.argv[1]).read_bytes()
    # A stray line of an import must not reach the host.
    print("imported")  # noqa: T201
    load_server(settings)


if __name__ == "__main__":
    settings = resolve({})
    serve_early(settings, partial(load_behind_gate, settings), partial(run_server, settings))

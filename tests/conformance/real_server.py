"""Our own server over HTTP on loopback, as the suite's general scenarios want it.

``python -m tests.conformance.real_server --port 8124`` serves until it is ended; no scenario needs an OpenCode.
"""

import argparse

from opencode_mcp.config import resolve
from opencode_mcp.server.app import build_server


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    build_server(resolve({})).run("streamable-http", host="127.0.0.1", port=parser.parse_args().port)


if __name__ == "__main__":
    main()

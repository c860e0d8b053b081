"""OpenCode 2 as a process: ``python -m tests.harness.opencode2 serve --stdio --hostname 127.0.0.1 --port 0``.

It starts the preview engine with its own environment, and the proxy in front of it. It takes the arguments that
``opencode serve`` of the released version takes, and prints the same ready line. The password is ``OPENCODE_PASSWORD``.
"""

import argparse
import json
import os
import secrets
import sys

from tests.harness.opencode2.proxy.reads import VERSION
from tests.harness.opencode2.serving import serve


def main() -> int:
    """Serve until a signal comes, or print the version."""
    arguments = _arguments()
    if arguments.version:
        print(VERSION)  # noqa: T201 - what was asked for
        return 0
    given = os.environ.get("OPENCODE_PASSWORD") or os.environ.get("OPENCODE_SERVER_PASSWORD")
    password = given or secrets.token_urlsafe(16)

    def ready(url: str) -> None:
        if arguments.stdio:
            print(json.dumps({"url": url}), flush=True)  # noqa: T201 - the program that started us reads it
            return
        print(f"server listening on {url}", flush=True)  # noqa: T201 - the program that started us reads it
        if not given:
            print(f"server password {password}", flush=True)  # noqa: T201 - as the released server does

    return serve(arguments.hostname, arguments.port, password, ready, until_input_ends=arguments.stdio)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="opencode", description="OpenCode 2 for tests.")
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--stdio", action="store_true", help="print one line of JSON, and end with standard input")
    parser.add_argument("--hostname", default="127.0.0.1", choices=["127.0.0.1"])
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

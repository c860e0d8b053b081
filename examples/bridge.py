"""Address of a bridge that serves HTTP, and a token for it, from the environment; both are tried first.

Libraries for MCP report a refused token as a group of errors that does not say why. The response of the bridge says it.
"""

import os
import sys
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

LONGEST_SECONDS = 10.0
REFUSALS = frozenset({401, 403, 404, 421, 429, 503})
"""Statuses with which a bridge, or a proxy before it, refuses a client. A plain GET with a right token gets 400."""


def bridge() -> tuple[str, str]:
    """Return the URL and the token, or end the program with a sentence if they are of no use."""
    url, token = _variable("OPENCODE_BRIDGE"), _variable("OPENCODE_BRIDGE_TOKEN")
    try:
        request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - the user names the URL
        with urlopen(request, timeout=LONGEST_SECONDS):  # noqa: S310 - see above
            return url, token
    except HTTPError as error:
        if error.code in REFUSALS:
            sys.exit(f"{url} refuses this client ({error.code}): {error.read().decode()}")
        return url, token
    except (URLError, OSError, ValueError) as error:
        sys.exit(f"{url} cannot be reached: {error}")


def task() -> str:
    """Return the task that the user gives as the only argument, or end the program with a sentence."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the task
        sys.exit(f'Give one task: {sys.argv[0]} "Explain this project"')
    return sys.argv[1]


def _variable(name: str) -> str:
    return os.environ.get(name) or sys.exit(f"Set {name}: docs/http.md says how to serve and to make a token.")

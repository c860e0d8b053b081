"""Command ``opencode-mcp``: parse the arguments, resolve the settings, run the server.

It imports only what the command needs: ``--help`` and ``--version`` work without MCP.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opencode_mcp import __version__, lazy_imports
from opencode_mcp.doctor import examination
from opencode_mcp.errors import BridgeError, InvalidSetting
from opencode_mcp.http import serve_http
from opencode_mcp.http.principals import token_command
from opencode_mcp.options import OPTIONS, Option
from opencode_mcp.processes.garbage_collector import collector_paused
from opencode_mcp.server import app
from opencode_mcp.server.stdio import serve_stdio, stderr_log
from opencode_mcp.server.stdio.front import front
from opencode_mcp.settings import resolve

if TYPE_CHECKING:
    from opencode_mcp.server.stdio.front.takeover import Takeover
    from opencode_mcp.settings import Settings

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] == "token":
        return token(given[1:])
    command, as_json, flags = _parse(given)
    try:
        settings = resolve(flags)
        return serve(settings) if command == "serve" else doctor(settings, as_json=as_json)
    except BridgeError as error:
        print(f"opencode-mcp: {error}", file=sys.stderr)
        return USAGE_ERROR


def _parse(given: Sequence[str]) -> tuple[str, bool, dict[str, Any]]:
    """Return the command, whether it prints JSON, and the values of the options that are given."""
    if not given:
        # Most hosts give no arguments, and without argparse their first requests are answered sooner.
        return "serve", False, {}
    parsed: dict[str, Any] = vars(_parser().parse_args(given))
    command, as_json = parsed.pop("command"), parsed.pop("json")
    return command, as_json, {name: value for name, value in parsed.items() if value is not None}


def token(arguments: Sequence[str]) -> int:
    """Manage the principals that may use the bridge over HTTP."""
    try:
        token_command.run(arguments, print, partial(print, file=sys.stderr))
    except BridgeError as error:
        print(f"opencode-mcp: {error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def _parser() -> "argparse.ArgumentParser":
    parser = argparse.ArgumentParser(
        prog="opencode-mcp",
        description="An MCP server, the bridge between any MCP host and OpenCode.",
        epilog="`opencode-mcp token` manages the clients over HTTP. Each option can also be set by its environment "
        "variable, or in a settings file (OPENCODE_MCP_CONFIG), which can also name an issuer of access tokens (OAuth "
        "2.1) for HTTP.",
    )
    parser.add_argument("--version", action="version", version=f"opencode-mcp {__version__}")
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "doctor"),
        default="serve",
        help="serve (the default): serve MCP on stdin and stdout, or with --http over HTTP; doctor: check that "
        "everything works",
    )
    parser.add_argument("--json", action="store_true", help="doctor: print the findings as JSON")
    for option in OPTIONS:
        if option.variables:
            _add(parser, option)
    return parser


def _add(parser: "argparse.ArgumentParser", option: Option) -> None:
    text = f"{option.help} ({option.variables[0]})"
    if option.kind == "switch":
        parser.add_argument(option.spelling, dest=option.name, action="store_true", default=None, help=text)
        return
    action = "append" if option.kind == "list" else "store"
    parser.add_argument(option.spelling, dest=option.name, metavar=option.metavar, action=action, help=text)


def serve(settings: "Settings") -> int:
    """Serve MCP on stdin and stdout until stdin closes, or over HTTP until a signal arrives.

    Raises:
        InvalidSetting: stdin or stdout is closed, or the address cannot be used.
    """
    if settings.http:
        configure_log(settings)
        with collector_paused():
            lazy_imports.execute(serve_http)
        serve_http.serve_http(settings, partial(print, file=sys.stderr, flush=True))
        return 0
    if not (sys.stdin and sys.stdout):
        raise InvalidSetting("stdin or stdout is closed.", hint="A host must start it with both, since MCP uses them.")
    if sys.platform == "win32":
        load_server(settings)
        run_server(settings, None)
        return 0
    front.serve_early(settings, partial(load_server, settings), partial(run_server, settings))
    return 0


def load_server(settings: "Settings") -> None:
    """Import the server with the SDK."""
    configure_log(settings)
    with collector_paused():
        lazy_imports.execute(app)
        lazy_imports.execute(serve_stdio)


def configure_log(settings: "Settings") -> None:
    """Write the log to stderr; stdout may carry MCP."""
    # Before the SDK configures logging itself, so that the format is ours.
    handlers = [stderr_log.StderrLog(sys.stderr.fileno())] if sys.stderr else []
    logging.basicConfig(level=settings.log_level, handlers=handlers)
    # httpx logs every request, which would be more than all other log lines.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def run_server(settings: "Settings", takeover: "Takeover | None") -> None:
    """Build the server and serve, when ``load_server`` is done.

    Args:
        settings: What the operator decided.
        takeover: The streams as the front leaves them; None: there was no front.
    """
    with collector_paused():
        server = app.build_server(settings)
    serve_stdio.serve_stdio(server, takeover)


def doctor(settings: "Settings", *, as_json: bool) -> int:
    """Check line by line that prompts can be run."""
    return examination.examine(settings, as_json=as_json)

"""Command that is to verify the work of a run: one that the settings name, or any line if they allow that."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.runs.verification.wanted_verification import MOST_REPAIRS, Verify
from opencode_mcp.server.access.execution.shell_lines import permitted_decider
from opencode_mcp.server.access.operations_of_tools import SHELL
from opencode_mcp.settings import settings_file_text
from opencode_mcp.text.name_lists import listed

if TYPE_CHECKING:
    from opencode_mcp.runs.requests.permission_policy import Policy
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.settings import Settings

NAMES_SHOWN = 10
LONGEST_LINE = 4000
"""Characters of a line of a caller's."""


WITHOUT = "Leave verify out, and put the check into the prompt."
BY_NAME = (
    "write the command into {file}, below a line `[verify]`, as `test = {line}`, and restart this MCP server; you "
    'then give verify="test"'
)
PURPOSE = "so that verify takes any line"


def request_of(settings: "Settings", allowed: "AllowedOperations", line: str, repair: int) -> Verify | None:
    """Return how the work of a run is to be verified; ``None`` if it is not.

    Args:
        settings: The operator's.
        allowed: The operations that callers may call.
        line: Name of a command of the settings, or a shell line.
        repair: Most times that a failure is sent back.

    Raises:
        InvalidArgument: There is nothing to repair, or OpenCode runs on another machine.
        NotAllowed: The settings do not name it, and allow no line of the caller's.
    """
    line = line.strip()
    if not 0 <= repair <= MOST_REPAIRS:
        raise InvalidArgument(f"repair={repair} is not allowed.", hint=f"Give 0 to {MOST_REPAIRS}.")
    if not line:
        if repair:
            raise InvalidArgument("repair is given without verify.", hint="Add verify, or leave repair out.")
        return None
    if settings.remote:
        raise InvalidArgument(
            "OpenCode runs on another machine, where this MCP server can run no command.",
            hint="Leave verify out, and ask for the check in the prompt.",
        )
    check_text(line, "verify")
    named = settings.verify.get(line)
    if named:
        return Verify(named.line, named.seconds, line, named.environment, repair)
    if len(line) > LONGEST_LINE:
        raise InvalidArgument(
            f"verify has {len(line):,} characters.", hint=f"Give at most {LONGEST_LINE:,}: put more into a script."
        )
    _check_line_of_caller(settings, allowed, line)
    return Verify(line, settings.verify_seconds, repair=repair)


def _check_line_of_caller(settings: "Settings", allowed: "AllowedOperations", line: str) -> None:
    """Refuse a shell line of the caller's, unless the settings allow one.

    Raises:
        NotAllowed: They do not.
    """
    try:
        allowed.check_caller_code(SHELL)
    except NotAllowed as error:
        names = settings.verify
        known = f"they are {listed(sorted(names), NAMES_SHOWN)}" if names else "there are none"
        error.message = (
            f"verify={line!r} is not allowed here: verify takes only the commands that the person has named in the "
            f"settings file; {known}."
        )
        error.hint = WITHOUT
        error.by_person = BY_NAME.format(file=settings_file_text(settings), line=json.dumps(line, ensure_ascii=False))
        error.change = replace(error.change, purpose=PURPOSE) if error.change else None
        raise


def may_verify(settings: "Settings", allowed: "AllowedOperations", policy: "Policy", request: Verify) -> bool:
    """Return True if the settings allow a verification that another bridge has begun."""
    if settings.read_only:
        return False
    if request.name:
        named = settings.verify.get(request.name)
        return named is not None and (named.line, named.environment) == (request.line, request.environment)
    try:
        allowed.check_caller_code(SHELL)
        return permitted_decider(policy, [request.line]) != "human"
    except NotAllowed:
        return False

"""OpenCode's slash commands as prompts: each tells the host's agent to run the command with the typed arguments."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mcp_types import GetPromptResult, Prompt, PromptArgument

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.prompts.prompts import prompt_result
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Command

NUMBERED = "argument_"
MOST_NUMBERED = 50
"""Highest number of an argument in a prompt, since each argument before it needs an entry, too."""
ALL = "arguments"
ALL_HINT = "$ARGUMENTS"


def command_listed(command: "Command") -> Prompt:
    """Return a command for ``prompts/list``."""
    arguments = [PromptArgument(name=name, description=_meaning(hint)) for name, hint in _arguments(command).items()]
    description = one_line(shown(command.description)) or f"OpenCode's command /{command.name}"
    return Prompt(name=command.name, title=f"/{command.name}", description=description, arguments=arguments)


def command_filled(command: "Command", given: Mapping[str, str]) -> GetPromptResult:
    """Return a command's prompt for ``prompts/get``.

    Raises:
        InvalidArgument: The command has no such argument.
    """
    takes = _arguments(command)
    for name in given:
        if name not in takes:
            hint = f"It takes {', '.join(takes)}." if takes else "It takes none."
            raise InvalidArgument(f"The command {command.name!r} has no argument {name!r}.", hint=hint)
    line = argument_line(given)
    passed = f", arguments={json.dumps(line, ensure_ascii=False)}" if line else ""
    call = f"opencode_command(command={json.dumps(command.name, ensure_ascii=False)}{passed})"
    text = f"Run OpenCode's command /{command.name} with {call}, and tell me the result."
    return prompt_result(one_line(shown(command.description)), text)


def _arguments(command: "Command") -> dict[str, str]:
    """Return names for the placeholders of a command's template, in order."""
    hints = set(command.hints)
    named = {f"{NUMBERED}{number}": f"${number}" for number in range(1, MOST_NUMBERED + 1) if f"${number}" in hints}
    return named | ({ALL: ALL_HINT} if ALL_HINT in hints else {})


def _meaning(hint: str) -> str:
    return "All text after the command" if hint == ALL_HINT else f"Argument {hint} of the command"


def argument_line(given: Mapping[str, str]) -> str:
    """Join arguments in the way in which OpenCode splits them: at spaces outside of quotes."""
    numbered = {int(name.removeprefix(NUMBERED)): value for name, value in given.items() if name != ALL and value}
    places = [_quoted(numbered.get(number, "")) for number in range(1, max(numbered, default=0) + 1)]
    return " ".join(filter(None, [*places, given.get(ALL, "")]))


def _quoted(value: str) -> str:
    if value and not re.search(r"[\s\"']", value):
        return value
    # OpenCode cannot parse both kinds of quotes in one argument.
    return f"'{value}'" if '"' in value and "'" not in value else '"' + value.replace('"', "'") + '"'

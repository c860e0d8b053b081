"""Prompts: a few of our own, and OpenCode's slash commands.

A prompt tells the host's agent what to do with this server's tools; it does nothing itself. Arguments are put in as
they come, so that a host which asks with placeholders (``$1``) gets a text with placeholders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from opencode_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from opencode_mcp.opencode.models import Command

ARGUMENTS = "$ARGUMENTS"


@dataclass(frozen=True, slots=True)
class PromptSpec:
    """One prompt of our own."""

    name: str
    title: str
    description: str
    arguments: Mapping[str, str]
    """What each is; the first is required."""
    text: str
    """With ``{argument}`` where an argument goes."""

    def listed(self) -> Prompt:
        """As ``prompts/list`` shows it."""
        arguments = [
            PromptArgument(name=name, description=text, required=not number)
            for number, (name, text) in enumerate(self.arguments.items())
        ]
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments)

    def filled(self, given: Mapping[str, str]) -> GetPromptResult:
        """As ``prompts/get`` gives it.

        Raises:
            InvalidArgument: An argument is unknown, or the required one is missing.
        """
        required = next(iter(self.arguments))
        unknown = [name for name in given if name not in self.arguments]
        if unknown or not given.get(required):
            wrong = f"has no argument {unknown[0]!r}" if unknown else f"needs {required!r}"
            raise InvalidArgument(f"The prompt {self.name!r} {wrong}.", hint=f"It takes {', '.join(self.arguments)}.")
        text = self.text
        for name in self.arguments:
            text = text.replace(f"{{{name}}}", given.get(name) or "(not said: choose)")
        return said(self.description, text)


OWN = (
    PromptSpec(
        "delegate",
        "Delegate a task to OpenCode",
        "Hand a task to OpenCode, watch it, and bring back what it made.",
        {"task": "What OpenCode should do", "directory": "The project", "agent": "OpenCode's agent"},
        "Delegate this task to OpenCode with opencode_run, in the project {directory}, with the agent {agent}. Put all "
        "that OpenCode needs to know into the prompt. While the report says `running`, go on with opencode_wait. If it "
        "says `needs_input`, ask me unless the answer follows from the task. At the end look at the changes with "
        "opencode_diff and tell me what was done, what was changed, and what you would check.\n\nThe task:\n{task}",
    ),
    PromptSpec(
        "review_session",
        "Review what a session changed",
        "Look critically at what an OpenCode session changed.",
        {"session_id": "The session"},
        "Review what the OpenCode session {session_id} changed. Read the changes with opencode_diff, what was asked "
        "and said with opencode_session, and the files around them with opencode_read_file. Name what is wrong, "
        "risky or missing, by file and line, the worst first; say so if there is nothing. Change nothing.",
    ),
    PromptSpec(
        "continue_session",
        "Continue a session",
        "Take up an earlier OpenCode session again.",
        {"session_id": "The session", "instruction": "What to do next"},
        "Continue the OpenCode session {session_id}: read with opencode_session where it stands, then give it this "
        "with opencode_run(session_id=...) and report what came of it. Next: {instruction}",
    ),
    PromptSpec(
        "hand_over",
        "Hand over between agents",
        "Let another of OpenCode's agents go on where a session stands.",
        {"session_id": "The session", "agent": "The agent that takes over", "instruction": "What it should do"},
        "Hand the OpenCode session {session_id} over to the agent {agent}: sum up with opencode_session what was "
        "asked, done and decided and what is open, then start opencode_run with that agent, with the summary and this "
        "task in the prompt: {instruction}",
    ),
)
"""Our own prompts, in the order in which they are listed."""


def said(description: str, text: str) -> GetPromptResult:
    """A prompt of one message."""
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=description, messages=[message])


def command_listed(command: "Command") -> Prompt:
    """A slash command of OpenCode's as ``prompts/list`` shows it."""
    arguments = [
        PromptArgument(name=name, description=f"What {hint} stands for in the command")
        for name, hint in _arguments(command).items()
    ]
    description = command.description or f"OpenCode's command /{command.name}"
    return Prompt(name=command.name, title=f"/{command.name}", description=description, arguments=arguments)


def command_filled(command: "Command", given: Mapping[str, str]) -> GetPromptResult:
    """A slash command of OpenCode's as ``prompts/get`` gives it.

    Raises:
        InvalidArgument: The command has no such argument.
    """
    takes = _arguments(command)
    for name in given:
        if name not in takes:
            hint = f"It takes {', '.join(takes) or 'none'}."
            raise InvalidArgument(f"The command {command.name!r} has no argument {name!r}.", hint=hint)
    words = " ".join(given[name] for name in takes if given.get(name))
    call = f'opencode_command(command="{command.name}", arguments={words!r})'
    return said(command.description, f"Run OpenCode's command /{command.name} with {call}, and report what came of it.")


def _arguments(command: "Command") -> dict[str, str]:
    """Names for the placeholders of a command's template, in order."""
    return {"arguments" if hint == ARGUMENTS else f"argument_{hint.lstrip('$')}": hint for hint in command.hints}


def own_prompt(name: str, specs: Sequence[PromptSpec] = OWN) -> PromptSpec | None:
    """The prompt of ours of a name."""
    return next((spec for spec in specs if spec.name == name), None)

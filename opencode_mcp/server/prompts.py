"""Our own prompts.

A prompt tells the host's agent what to do with this server's tools; it does nothing itself. Arguments are put in as
they come, so that a host which asks with placeholders (``$1``) gets a text with placeholders. Some hosts split what a
person types at its spaces, one word to each argument. So only the last argument is free text, and what stands before it
is one word: a session's id or an agent's name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from opencode_mcp.errors import InvalidArgument

PLACE = re.compile(r"\{(\w+)\}")
TOOL = re.compile(r"\bopencode_\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSpec:
    """One prompt."""

    name: str
    title: str
    description: str
    arguments: Mapping[str, str]
    """What each is; those that are required come first."""
    required: int = 1
    """How many are."""
    text: str
    """With ``{argument}`` where one goes; a line is left out where its argument is not given."""

    @property
    def tools(self) -> frozenset[str]:
        """The tools that it tells the host's agent to use."""
        return frozenset(TOOL.findall(self.text))

    def listed(self) -> Prompt:
        """As ``prompts/list`` shows it."""
        arguments = [
            PromptArgument(name=name, description=text, required=number < self.required)
            for number, (name, text) in enumerate(self.arguments.items())
        ]
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments)

    def filled(self, given: Mapping[str, str]) -> GetPromptResult:
        """As ``prompts/get`` gives it.

        Raises:
            InvalidArgument: An argument is unknown, or a required one is missing.
        """
        values = {name: value for name, value in given.items() if value}
        self._check(values)
        lines = [line for line in self.text.splitlines() if set(PLACE.findall(line)) <= values.keys()]
        # In one pass: a value may hold braces of its own.
        return said(self.description, PLACE.sub(lambda place: values[place[1]], "\n".join(lines)).strip())

    def _check(self, values: Mapping[str, str]) -> None:
        unknown = [name for name in values if name not in self.arguments]
        needed, others = list(self.arguments)[: self.required], list(self.arguments)[self.required :]
        missing = [name for name in needed if name not in values]
        if not unknown and not missing:
            return
        wrong = f"has no argument {unknown[0]!r}" if unknown else f"needs {' and '.join(map(repr, missing))}"
        optional = f", and if you like {', '.join(others)}" if others else ""
        hint = f"It takes {', '.join(needed)}{optional}."
        raise InvalidArgument(f"The prompt {self.name!r} {wrong}.", hint=hint)


def said(description: str, text: str) -> GetPromptResult:
    """A prompt of one message."""
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=description, messages=[message])


SESSION = "The session's id, as ses_..."
OWN = (
    PromptSpec(
        name="delegate",
        title="Delegate a task",
        description="Hand a task to OpenCode, watch over it, and bring back what it made.",
        arguments={
            "task": "What OpenCode should do; if you like with a directory, an agent or a model",
        },
        text="""\
Delegate the task below to OpenCode with opencode_run. It does not see our conversation: put all that it needs to know \
into the prompt.
- If the task names a project by its absolute path, an agent of OpenCode's, or a model as provider/model, give these \
as directory, agent and model; opencode_status lists the agents. Whatever is none of these is a part of the task.
- If the task is cut off, ask me for all of it: some programs pass on only the first word.
- While the report says `running`, go on with opencode_wait.
- If it says `needs_input`, ask me, unless the answer follows from the task.
- At the end look at the changes with opencode_diff, and tell me what was done, which files changed, and what I should \
check.

The task: {task}
""",
    ),
    PromptSpec(
        name="review_session",
        title="Review a session's changes",
        description="Look critically at what an OpenCode session changed.",
        arguments={"session_id": SESSION, "focus": "What to look at most"},
        text="""\
Review what the OpenCode session {session_id} changed. Change nothing.
- If {session_id} is no session's id, it is a part of what I want: find the session with opencode_list_sessions, and \
ask me if several fit.
- Read the changes with opencode_diff, what was asked and said with opencode_session, and the files around the changes \
with opencode_read_file.
- Look most at this: {focus}
- Name what is wrong, risky or missing, by file and line, the worst first. If there is nothing, say so.
""",
    ),
    PromptSpec(
        name="continue_session",
        title="Continue a session",
        description="Take up an earlier OpenCode session where it stands.",
        arguments={"session_id": SESSION, "instruction": "What to do next; empty: propose it"},
        text="""\
Continue the OpenCode session {session_id}.
- If {session_id} is no session's id, it is a part of what I want: find the session with opencode_list_sessions, and \
ask me if several fit.
- Read with opencode_session what was done and what is open, and tell me in a few lines.
- If nothing below says what comes next, propose it and wait for my word.
- Go on in the same session with opencode_run(session_id="{session_id}"): it remembers all that was said.
- Tell me what came of it.

Next: {instruction}
""",
    ),
    PromptSpec(
        name="hand_over",
        title="Hand over to another agent",
        description="Let another of OpenCode's agents go on where a session stands.",
        arguments={
            "session_id": SESSION,
            "agent": "The agent of OpenCode's that takes over",
            "instruction": "What it should do; empty: what is open",
        },
        required=2,
        text="""\
Hand the OpenCode session {session_id} over to the agent {agent}.
- If {session_id} is no session's id, it is a part of what I want: find the session with opencode_list_sessions, and \
ask me if several fit.
- If {agent} is none of the agents that opencode_status lists, it is the beginning of what should be done: ask me \
which agent is meant.
- Read with opencode_session what was asked, done and decided, and what is open.
- Go on with opencode_run(session_id="{session_id}", agent="{agent}"): the session remembers all that was said. Begin \
the prompt with a short summary of where it stands, then say what the agent should do.
- If nothing below says what that is, it is what is open.
- Tell me what came of it.

What it should do: {instruction}
""",
    ),
)
"""In the order in which they are listed."""


def own_prompt(name: str) -> PromptSpec | None:
    """The prompt of ours of a name."""
    return next((spec for spec in OWN if spec.name == name), None)

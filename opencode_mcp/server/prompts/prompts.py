"""Our own prompts.

A prompt tells the host's agent what to do with this server's tools; it does nothing itself. Arguments are inserted
unchanged, so that a host that sends placeholders (``$1``) gets a text with placeholders. Some hosts split the typed
text at spaces, one word for each argument. So each prompt has a single argument with free text, and the host's agent
finds in it the session, the agent, the model or the directory.
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
    """Prompt of our own."""

    name: str
    title: str
    description: str
    argument: str
    """Name of its only argument, which is required."""
    meaning: str
    """Description of the argument."""
    text: str
    """Text with the argument's name in braces."""

    @property
    def tools(self) -> frozenset[str]:
        """Return the tools that it tells the host's agent to use."""
        return frozenset(TOOL.findall(self.text))

    def listed(self) -> Prompt:
        """Return the prompt for ``prompts/list``."""
        argument = PromptArgument(name=self.argument, description=self.meaning, required=True)
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=[argument])

    def filled(self, given: Mapping[str, str]) -> GetPromptResult:
        """Return the prompt with its argument filled in, for ``prompts/get``.

        Raises:
            InvalidArgument: Its argument is missing, or another one is given.
        """
        unknown = [name for name, value in given.items() if value and name != self.argument]
        wrong = f"has no argument {unknown[0]!r}" if unknown else f"needs {self.argument!r}"
        if unknown or not given.get(self.argument):
            raise InvalidArgument(f"The prompt {self.name!r} {wrong}.", hint=f"It takes {self.argument}.")
        # In one pass, since the value may contain braces.
        return prompt_result(self.description, PLACE.sub(lambda _: given[self.argument], self.text).strip())


def prompt_result(description: str, text: str) -> GetPromptResult:
    """Return a prompt of one message."""
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=description, messages=[message])


CUT_OFF = "If it is cut off, ask me for all of it: some programs pass on only the first word."
WHICH = (
    "If it contains no session id (ses_...), all of it describes what I want: tell me so, find the session with "
    "opencode_list_sessions, and ask me if several fit."
)
OWN = (
    PromptSpec(
        name="delegate",
        title="Delegate a task",
        description="Give a task to OpenCode, follow its work, and report the result.",
        argument="task",
        meaning="The task for OpenCode; optionally with a directory, an agent or a model",
        text="""\
Delegate the task below to OpenCode with opencode_run. It does not see our conversation: put all that it needs to know \
into the prompt.
- If the task names a project by its absolute path, an agent of OpenCode's, or a model as provider/model, give these \
as directory, agent and model; opencode_status lists the agents. Whatever is none of these is a part of the task.
- Tell me in one line what you took for a directory, an agent or a model.
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
        argument="session",
        meaning="The session's id, as ses_...; optionally with what to look at most",
        text=f"""\
Review what an OpenCode session changed. Change nothing.
- The session, and what to look at most if I say so: {{session}}
- {WHICH}
- {CUT_OFF}
- Read the changes with opencode_diff, what was asked and said with opencode_session, and the files around the changes \
with opencode_read_file.
- Name what is wrong, risky or missing, by file and line, the worst first. If there is nothing, say so.
""",
    ),
    PromptSpec(
        name="continue_session",
        title="Continue a session",
        description="Continue an earlier OpenCode session.",
        argument="session",
        meaning="The session's id, as ses_...; optionally with what to do next",
        text=f"""\
Continue an OpenCode session.
- The session, and what to do next if I say so: {{session}}
- {WHICH}
- {CUT_OFF}
- Read with opencode_session what was done and what is open, and tell me in a few lines.
- If I do not say what comes next, propose it and wait for my answer.
- Go on in the same session with opencode_run and its session_id: it remembers all that was said.
- Tell me the result.
""",
    ),
    PromptSpec(
        name="hand_over",
        title="Hand over to another agent",
        description="Continue a session with another of OpenCode's agents.",
        argument="session",
        meaning="The session's id, as ses_..., the agent that takes over, and optionally what it should do",
        text=f"""\
Hand an OpenCode session over to another of OpenCode's agents.
- The session, the agent, and what it should do if I say so: {{session}}
- {WHICH}
- If the word after the session's id is none of the agents that opencode_status lists, it is the beginning of what \
should be done: tell me so, and ask me which agent is meant.
- {CUT_OFF}
- Read with opencode_session what was asked, done and decided, and what is open.
- Go on with opencode_run and the session_id and agent: the session remembers all that was said. Begin the prompt with \
a short summary of its state, then say what the agent should do: what is open, if I do not say anything else.
- Tell me the result.
""",
    ),
)
"""Our own prompts, in the order in which they are listed."""


def own_prompt(name: str) -> PromptSpec | None:
    """Return our own prompt with a name."""
    return next((spec for spec in OWN if spec.name == name), None)

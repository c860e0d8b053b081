"""Report of a run as data: everything that a caller needs to know, and its next step.

It reads OpenCode's record of the run by GET and keeps nothing. Turning it into text for a model is the server's part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from opencode_mcp.opencode.vocabulary.models import (
    AlwaysLasts,
    Failure,
    FileDiff,
    Message,
    PatchPart,
    TextPart,
    Todo,
    ToolPart,
)
from opencode_mcp.runs.endings import FailureKind, refusal_of
from opencode_mcp.runs.state import State
from opencode_mcp.text.outside_text import one_line

Status = Literal["completed", "running", "needs_input", "failed", "aborted"]
STATUSES: Mapping[State, Status] = {
    State.SUBMITTED: "running",
    State.RUNNING: "running",
    State.RETRYING: "running",
    State.SETTLING: "running",
    State.WAITING: "needs_input",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.ABORTED: "aborted",
    State.LOST: "failed",
}

CUT = "cut at the model's token limit"
DEFAULT_TITLE = re.compile(r"(New|Child) session - \d{4}-")
WORDS_LIMIT = 80
"""Characters of a prompt that name its run."""
EDITORS = frozenset({"edit", "write", "patch", "apply_patch", "multiedit"})
"""Tools that change the files which their arguments name."""


class ChangedFile(BaseModel):
    """A file that the run changed."""

    path: str
    change: str
    added: int
    removed: int
    perhaps_by: list[str] = Field(default_factory=list[str])
    """Other sessions that worked in the project at the same time, if no edit of the run names the file: OpenCode counts
    their changes as the run's."""


class PendingRequest(BaseModel):
    """A permission or a question that OpenCode waits for, and how to answer it."""

    request_id: str
    kind: Literal["permission", "question"]
    session_id: str
    asks: str
    """Text of the request: the command, the file with its diff, or the questions."""
    subagent: bool = False
    agent_may_answer: bool = True
    """True if the calling agent may answer it; False if only a person may."""
    asks_for_person: bool = Field(default=False, exclude=True)
    """True if a person should decide, although the calling agent may answer, since its host can ask nobody."""
    agent_may_always: bool = Field(default=True, exclude=True)
    """True if the calling agent may also answer ``always``."""
    person_here: bool = Field(default=True, exclude=True)
    """True if the host of the call can put it to a person."""
    closed: str = Field(default="", exclude=True)
    """Reason why the calling agent may not even reject it; empty if it may."""
    permission: str = ""
    """The kind of permission, such as ``bash``."""
    patterns: list[str] = Field(default_factory=list[str])
    always: list[str] = Field(default_factory=list[str])
    always_lasts: AlwaysLasts = "until_restart"
    preface: list[str] = Field(default_factory=list[str], exclude=True)
    """Title and explanation that come before the questions."""
    questions: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])


class Decision(BaseModel):
    """A permission that the operator's policy answered by itself."""

    permission: str
    patterns: list[str]
    reply: str


class Usage(BaseModel):
    """Tokens of all model steps of a run."""

    input: float = 0
    output: float = 0
    reasoning: float = 0


class RunReport(BaseModel):
    """The state of one run.

    A run is the triple of ``directory``, ``session_id`` and ``message_id``; with these it can be found again whatever
    happens to the host, the wire or the bridge.
    """

    status: Status
    note: str = ""
    """Text before the rest, such as the outcome of an answer, or that nothing was running."""
    session_id: str
    message_id: str
    directory: str
    title: str = ""
    prompt: str = ""
    """First words of the prompt, as far as they are known."""
    text: str = ""
    """The model's last words; what it has written so far, while the run goes on."""
    text_message: str = Field(default="", exclude=True)
    """Id of the message with them."""
    message_reader: str = Field(default="", exclude=True)
    """Id of OpenCode's operation that reads a message; empty if OpenCode is gone."""
    output: Any = None
    """The structured answer, where an ``output_schema`` was given."""
    merged_with: list[str] = Field(default_factory=list[str])
    """Other prompts that reached the session at the same time: OpenCode answered all of them with this text."""
    shortfall: str = ""
    """Reason why the answer of a completed run is not whole, such as the model's token limit."""
    error: str = ""
    """OpenCode's own words."""
    lost: bool = Field(default=False, exclude=True)
    """True if OpenCode went away before the end of the run could be read."""
    activity: str = ""
    """Work at this moment, while it runs."""
    files: list[ChangedFile] = Field(default_factory=list[ChangedFile])
    todos: list[str] = Field(default_factory=list[str])
    pending: list[PendingRequest] = Field(default_factory=list[PendingRequest])
    decided: list[Decision] = Field(default_factory=list[Decision])
    """Permissions that the operator's policy answered by itself."""
    children: list[str] = Field(default_factory=list[str])
    """The sessions of its subagents."""
    model: str = ""
    agent: str = ""
    tokens: Usage = Usage()
    cost: float = 0
    seconds: float = 0
    """Age of a run that goes on; duration of one that has ended."""
    waited: float = 0
    """Seconds of these that it waited for answers to permissions and questions, as far as it was seen."""
    failure: FailureKind | None = Field(default=None, exclude=True)
    """Kind of the failure that ended it."""
    usable_models: list[str] = Field(default_factory=list[str], exclude=True)
    """Other models that can be used, after a failure."""
    unlisted_tools: frozenset[str] = Field(default=frozenset(), exclude=True)
    """Tools that ``next`` does not name, since this server does not list them."""
    next: str = ""
    """Next step of the caller."""


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """Summary of the assistant's messages of one run."""

    text: str = ""
    text_message: str = ""
    """Id of the message with the text."""
    output: Any = None
    error: str = ""
    shortfall: str = ""
    """Reason why the text is not a whole answer; empty if it is one, or if there is an error."""
    model: str = ""
    agent: str = ""
    tokens: Usage = field(default_factory=Usage)
    cost: float = 0
    seconds: float = 0
    changed_files: frozenset[str] = frozenset()
    """Absolute paths of the files that its steps changed; one may have been changed back."""
    edits: str = ""
    """Arguments of its tool calls that edit files, which name those files."""
    refused: str = ""
    """Sentence on the refused call that ended the run; empty if none did."""
    failure: Failure | None = None


def summarise(answers: list[Message]) -> AnswerSummary:
    """Summarise the assistant's messages of one run; oldest first, perhaps none."""
    if not answers:
        return AnswerSummary()
    last = answers[-1].info
    said = _last_with_text(answers)
    return AnswerSummary(
        text=spoken(said) if said else "",
        text_message=said.info.id if said else "",
        output=last.structured,
        error=last.error.text if last.error else "",
        shortfall=_shortfall(answers),
        model=last.model,
        agent=last.agent,
        tokens=_tokens(answers),
        cost=round(sum(message.info.cost for message in answers), 6),
        seconds=_seconds(answers),
        changed_files=frozenset(_changed_files(answers)),
        edits="\n".join(_edits(answers)),
        refused=refusal_of(answers[-1]),
        failure=last.error,
    )


def _last_with_text(answers: list[Message]) -> Message | None:
    return next((message for message in reversed(answers) if spoken(message)), None)


def _tokens(answers: list[Message]) -> Usage:
    total = Usage()
    for message in answers:
        tokens = message.info.tokens
        total.input += tokens.input
        total.output += tokens.output
        total.reasoning += tokens.reasoning
    return total


def _changed_files(answers: list[Message]) -> Iterator[str]:
    for message in answers:
        for part in message.parts:
            if isinstance(part, PatchPart):
                yield from part.files


def _edits(answers: list[Message]) -> Iterator[str]:
    for message in answers:
        for part in message.parts:
            if isinstance(part, ToolPart) and part.tool in EDITORS and part.state.status == "completed":
                yield str(part.state.input)


def first_words(text: str) -> str:
    """Return the beginning of a prompt, by which its run is recognised."""
    return one_line(" ".join(text.split()), WORDS_LIMIT)


def is_default_title(title: str) -> bool:
    """Return True for the title that OpenCode gives to a session before it has made one."""
    return DEFAULT_TITLE.match(title) is not None


def _shortfall(answers: list[Message]) -> str:
    """Explain why the last message is not a whole answer; an error explains itself."""
    last = answers[-1]
    if last.info.error:
        return ""
    is_cut = last.info.finish == "length"
    if spoken(last) or _acted(last):
        return f"The answer was {CUT}." if is_cut else ""
    missing = f"The model gave no answer: it was {CUT}." if is_cut else "The model gave no answer."
    return f"{missing} The text is what it said before." if _last_with_text(answers) else missing


def _acted(message: Message) -> bool:
    """Tell whether a message needs no text: it called a tool, or gave structured output."""
    return message.info.structured is not None or any(isinstance(part, ToolPart) for part in message.parts)


def spoken(message: Message) -> str:
    """Return the text of a message, without the parts that OpenCode added for the model only."""
    parts = (part for part in message.parts if isinstance(part, TextPart) and not part.synthetic and not part.ignored)
    return "\n\n".join(part.text.strip() for part in parts if part.text.strip())


def _seconds(answers: list[Message]) -> float:
    end = max(message.info.time.completed or message.info.time.created for message in answers)
    return round((end - answers[0].info.time.created) / 1000, 3)


def add_neighbours(files: list[ChangedFile], neighbours: list[str], edits: str) -> None:
    """Add the sessions that may have changed a file to those files that no editing call of the run names."""
    for file in files:
        if file.path not in edits:
            file.perhaps_by = neighbours


def list_files(diffs: list[FileDiff], directory: str) -> list[ChangedFile]:
    """The files of a diff, with paths relative to the directory where they are in it."""
    prefix = directory.rstrip("/\\") + "/"
    return [
        ChangedFile(
            path=diff.file.removeprefix(prefix), change=diff.status, added=diff.additions, removed=diff.deletions
        )
        for diff in diffs
    ]


def list_todos(todos: list[Todo]) -> list[str]:
    """The todo list as short lines: ``[x] done``, ``[ ] open``."""
    marks = {"completed": "x", "in_progress": ">", "cancelled": "-"}
    return [f"[{marks.get(todo.status, ' ')}] {one_line(todo.content)}" for todo in todos]

"""Report of a run as data: everything that a caller needs to know, and its next step.

It reads OpenCode's record of the run by GET and keeps nothing. Turning it into text for a model is the server's part.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from opencode_mcp.diffs.authorship import AuthorFinder, ChangeAuthor, WriteCall
from opencode_mcp.diffs.named_files import absolute
from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.opencode.vocabulary.models import (
    AlwaysLasts,
    Failure,
    FileDiff,
    Message,
    TextPart,
    Todo,
)
from opencode_mcp.runs.outcome.endings import FailureKind, refusal_of
from opencode_mcp.runs.outcome.shortfalls import CUT, NO_ANSWER
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.verification.request import VerificationRecord
from opencode_mcp.text.outside_text import clean, one_line

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

WORDS_LIMIT = 80
"""Characters of a prompt that name its run."""
NOT_SHOWN = "changed"
"""Change of a file whose diff is missing."""


class OtherSession(BaseModel):
    """Another session that changed a file, or may have."""

    session_id: str
    title: str = ""


class ChangedFile(BaseModel):
    """A file that changed while the run worked."""

    path: str
    change: str
    """``added``, ``modified``, ``deleted``, or ``changed`` if OpenCode has no diff of it."""
    added: int
    removed: int
    whose: ChangeAuthor = "this"
    """Author of the change; OpenCode counts the changes of sessions that work at the same time as the run's."""
    others: list[OtherSession] = Field(default_factory=list[OtherSession])
    """Other sessions that changed it, or may have if ``whose`` is ``unknown``."""
    outside: bool = False
    """True if it is outside of the project: OpenCode keeps no diff of it, and an undo does not change it."""
    by_calls: bool = False
    """True if only tool calls name it: OpenCode does not record it, so there is no diff and no undo."""


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
    of_client: bool = Field(default=False, exclude=True)
    """True if a client or a plugin asks, and no tool call."""
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
    """A permission that the operator's policy answered by itself, or that a person or an agent refused."""

    permission: str
    patterns: list[str]
    reply: str
    by: str = ""
    """``person`` or ``agent``; empty for the policy."""
    message: str = ""
    """Reason that the model was given; empty for the policy."""


class Usage(BaseModel):
    """Tokens of all model steps of a run, with its subagents; their reasoning is not counted."""

    input: float = 0
    output: float = 0
    reasoning: float = 0


class VerificationReport(BaseModel):
    """Verification of the work of a run: a command that was run in its directory at its end."""

    command: str
    exit_code: int | None = None
    """Exit code of the command; ``None`` if it did not end by itself."""
    output: str = ""
    """End of what it printed."""
    seconds: float = 0
    repairs: int = 0
    """Number of times that a failure was sent back to the session."""
    left: list[str] = Field(default_factory=list[str])
    """Files that it has changed or left behind, as ``added build/out.txt``."""
    note: str = ""
    """Reason why there is no result, or why the work was not repaired."""


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
    """Reason why the answer of a completed run is not whole, such as the model's token limit; or why it was stopped."""
    last_calls: str = Field(default="", exclude=True)
    """Sentence on the last tool calls of a run that was stopped; see ``reports/last_calls.py``."""
    failed_command: str = Field(default="", exclude=True)
    """The last command of the run with its exit code, if it failed."""
    at_limit: bool = Field(default=False, exclude=True)
    """True if it was stopped because it exceeded one of its limits."""
    passed_limit: str = Field(default="", exclude=True)
    """Sentence on the limit that a completed run has passed; the note has it, too."""
    error: str = ""
    """OpenCode's own words."""
    removed: bool = Field(default=False, exclude=True)
    """True if OpenCode has removed the prompt with its answer."""
    session_deleted: bool = Field(default=False, exclude=True)
    """True if the session of the run was deleted."""
    lost: bool = Field(default=False, exclude=True)
    """True if OpenCode went away before the end of the run could be read."""
    idle: bool = Field(default=False, exclude=True)
    """True if OpenCode does not work on it, and has no end of it on record yet."""
    not_started: bool = Field(default=False, exclude=True)
    """True if OpenCode has put the prompt into the inbox of the session, and never began it."""
    broken_off: bool = Field(default=False, exclude=True)
    """True if OpenCode does not work on it any more and never finished it, though nobody stopped it."""
    activity: str = ""
    """Work at this moment, while it runs."""
    verified: Literal["", "passed", "failed", "timed out"] = ""
    """Result of the command that verified the work; empty if there is none."""
    verification: VerificationReport | None = None
    """Details of the verification."""
    files: list[ChangedFile] = Field(default_factory=list[ChangedFile])
    todos: list[str] = Field(default_factory=list[str])
    pending: list[PendingRequest] = Field(default_factory=list[PendingRequest])
    decided: list[Decision] = Field(default_factory=list[Decision])
    """Permissions that the operator's policy answered by itself, or that a person or an agent refused."""
    children: list[str] = Field(default_factory=list[str])
    """The sessions of its subagents."""
    are_children_known: bool = Field(default=True, exclude=True)
    """False if OpenCode could not list them."""
    model: str = ""
    agent: str = ""
    tokens: Usage = Usage()
    cost: float = 0
    """US dollars that the run cost, with its subagents."""
    subagents_cost: float = Field(default=0, exclude=True)
    """Part of it that they spent."""
    subagents_counted: int = Field(default=0, exclude=True)
    """Number of the subagents whose cost is included."""
    is_cost_known: bool = Field(default=True, exclude=True)
    """False if OpenCode has no cost of a part of the work, or that could not be read."""
    seconds: float = 0
    """Seconds since the prompt, until the end of the run if it has ended."""
    waited: float = 0
    """Seconds of these that it waited for answers to permissions and questions.

    Those for a permission that was answered elsewhere while no bridge followed the run are not known.
    """
    failure: FailureKind | None = Field(default=None, exclude=True)
    """Kind of the failure that ended it."""
    usable_models: list[str] = Field(default_factory=list[str], exclude=True)
    """Other models that can be used, after a failure."""
    unlisted_tools: frozenset[str] = Field(default=frozenset(), exclude=True)
    """Tools that ``next`` does not name, since this server does not list them."""
    isolated: bool = Field(default=False, exclude=True)
    """True if the run worked in an isolated worktree that still exists."""
    remote: bool = Field(default=False, exclude=True)
    """True if that worktree is on another machine, where work is brought back by hand."""
    brought: bool = Field(default=False, exclude=True)
    """True if work of that worktree was brought to the project, and not taken out again."""
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
    """Seconds from the beginning of the first message to the end of the last one."""
    ended: float = 0
    """End of the last message, in milliseconds since the epoch; 0 if there is none."""
    refused: str = ""
    """Sentence on the refused call that ended the run; empty if none did."""
    failure: Failure | None = None


def summarise(answers: list[Message]) -> AnswerSummary:
    """Summarise the assistant's messages of one run; oldest first, perhaps none."""
    if not answers:
        return AnswerSummary()
    last = answers[-1].info
    last_with_text = _last_with_text(answers)
    return AnswerSummary(
        text=visible_text(last_with_text) if last_with_text else "",
        text_message=last_with_text.info.id if last_with_text else "",
        output=last.structured,
        error=last.error.text if last.error else "",
        shortfall=_shortfall(answers),
        model=last.model,
        agent=last.agent,
        tokens=_tokens(answers),
        cost=round(sum(message.info.cost for message in answers), 6),
        seconds=round((_end(answers) - answers[0].info.time.created) / 1000, 3),
        ended=_end(answers),
        refused=refusal_of(answers[-1]),
        failure=last.error,
    )


def _last_with_text(answers: list[Message]) -> Message | None:
    return next((message for message in reversed(answers) if visible_text(message)), None)


def _tokens(answers: list[Message]) -> Usage:
    total = Usage()
    for message in answers:
        tokens = message.info.tokens
        total.input += tokens.input
        total.output += tokens.output
        total.reasoning += tokens.reasoning
    return total


def first_words(text: str) -> str:
    """Return the beginning of a prompt, by which its run is recognised."""
    return one_line(" ".join(text.split()), WORDS_LIMIT)


def _shortfall(answers: list[Message]) -> str:
    """Explain why the last message is not a whole answer; an error explains itself."""
    last = answers[-1]
    if last.info.error:
        return ""
    is_cut = last.info.finish == "length"
    if visible_text(last) or _acted(last):
        return f"The answer was {CUT}." if is_cut else ""
    missing = f"{NO_ANSWER}: it was {CUT}." if is_cut else f"{NO_ANSWER}."
    return f"{missing} The text is what it said before." if _last_with_text(answers) else missing


def _acted(message: Message) -> bool:
    """Tell whether a message needs no text: it called a tool, or gave structured output."""
    return message.info.structured is not None or bool(message.tool_calls)


def visible_text(message: Message) -> str:
    """Return the text of a message, without the parts that OpenCode added for the model only."""
    parts = (part for part in message.parts if isinstance(part, TextPart) and not part.synthetic and not part.ignored)
    return "\n\n".join(part.text.strip() for part in parts if part.text.strip())


def _end(answers: list[Message]) -> float:
    return max(message.info.time.completed or message.info.time.created for message in answers)


def add_authors(files: list[ChangedFile], finder: AuthorFinder) -> None:
    """Add to each file whose change it is."""
    for file in files:
        authorship = finder.find(file.path)
        file.whose = authorship.whose
        file.others = [_other_session(call) for call in authorship.others]


def _other_session(call: WriteCall) -> OtherSession:
    return OtherSession(session_id=call.session_id, title=made_title(call.title))


def list_missing(paths: Iterable[str], directory: str) -> list[ChangedFile]:
    """Return entries for files that steps changed, and whose diff OpenCode does not have."""
    return [ChangedFile(path=name, change=NOT_SHOWN, added=0, removed=0) for name in _inside(paths, directory)]


def list_named(paths: Iterable[str], directory: str) -> list[ChangedFile]:
    """Return entries for files that only tool calls name, since OpenCode does not record them."""
    names = _inside(paths, directory)
    return [ChangedFile(path=name, change=NOT_SHOWN, added=0, removed=0, by_calls=True) for name in names]


def _inside(paths: Iterable[str], directory: str) -> list[str]:
    """Return absolute paths as relative ones, as far as they are in a directory."""
    prefix = absolute(".", directory) + "/"
    return sorted(path.removeprefix(prefix) for path in paths)


def list_outside(paths: Iterable[str]) -> list[ChangedFile]:
    """Return entries for files outside of the project, which OpenCode does not compare."""
    return [ChangedFile(path=path, change=NOT_SHOWN, added=0, removed=0, outside=True) for path in sorted(paths)]


def list_files(diffs: list[FileDiff], directory: str) -> list[ChangedFile]:
    """The files of a diff, with paths relative to the directory where they are in it."""
    prefix = directory.rstrip("/\\") + "/"
    return [
        ChangedFile(
            path=diff.file.removeprefix(prefix), change=diff.status, added=diff.additions, removed=diff.deletions
        )
        for diff in diffs
    ]


def add_verification(report: RunReport, record: VerificationRecord) -> None:
    """Add the result of a verification to the report of a run, if there is one."""
    result = record.result
    if result is None:
        return
    report.verification = VerificationReport(
        command=record.request.line,
        exit_code=result.exit_code,
        output=clean(result.output),
        seconds=result.seconds,
        repairs=len(record.repairs),
        left=list(result.left),
        note=result.note,
    )
    match result.outcome:
        case "passed" | "failed" | "timed out" if report.status == "completed":
            report.verified = result.outcome
        case _:
            pass


def list_todos(todos: list[Todo]) -> list[str]:
    """The todo list as short lines: ``[x] done``, ``[ ] open``."""
    marks = {"completed": "x", "in_progress": ">", "cancelled": "-"}
    return [f"[{marks.get(todo.status, ' ')}] {one_line(todo.content)}" for todo in todos]

"""Report of a run as data: everything that a caller needs to know, and its next step.

It reads OpenCode's record of the run by GET and keeps nothing. Turning it into text for a model is the server's part.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from opencode_mcp.diffs.authorship import ChangeAuthor
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import AlwaysLasts
from opencode_mcp.opencode.vocabulary.wire.session_objects import Todo
from opencode_mcp.runs.outcome.endings import FailureKind
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.verification.wanted_verification import VerificationRecord
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


class OtherSession(BaseModel):
    """Another session that changed a file, or may have."""

    session_id: str
    title: str = ""


class ChangedFile(BaseModel):
    """A file that changed while the run worked."""

    path: str
    """Path, relative to the directory if it is in it."""
    change: str
    """``added``, ``modified``, ``deleted``, or ``changed`` if OpenCode has no diff of it."""
    added: int
    """Number of lines that were added."""
    removed: int
    """Number of lines that were removed."""
    whose: ChangeAuthor = "this"
    """Author of the change; OpenCode counts the changes of sessions that work at the same time as the run's."""
    others: list[OtherSession] = Field(default_factory=list[OtherSession])
    """Other sessions that changed it, or may have if ``whose`` is ``unknown``."""
    outside: bool = False
    """True if it is outside of the project: OpenCode keeps no diff of it, and an undo does not change it."""
    by_calls: bool = False
    """True if only tool calls name it: OpenCode does not record it, so there is no diff and no undo of it."""


class PendingRequest(BaseModel):
    """A permission or a question that OpenCode waits for, and how to answer it."""

    request_id: str
    """Id by which it is answered."""
    kind: Literal["permission", "question"]
    """``permission`` or ``question``."""
    session_id: str
    """Session that asks: the run's, or that of a subagent."""
    asks: str
    """Text of the request: the command, the file with its diff, or the questions."""
    subagent: bool = False
    """True if a subagent asks."""
    agent_may_answer: bool = True
    """True if the calling agent may answer it; False if only a person may."""
    asks_for_person: bool = Field(default=False, exclude=True)
    """True if a person should decide, although the calling agent may answer, since its host can ask nobody."""
    left_to_person: bool = Field(default=False, exclude=True)
    """True if the operator's settings leave it to a person, although the calling agent may answer it."""
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
    """Paths, commands or the like that it is asked for."""
    always: list[str] = Field(default_factory=list[str])
    """Patterns that the answer ``always`` would allow."""
    always_lasts: AlwaysLasts = "until_restart"
    """Time for which that answer holds: ``until_restart`` or ``for_ever``."""
    preface: list[str] = Field(default_factory=list[str], exclude=True)
    """Title and explanation that come before the questions."""
    questions: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    """The questions with their choices."""

    @property
    def is_of_session(self) -> bool:
        """Return True for a form that a client or a plugin opened: no run of the session waits for it."""
        return self.of_client and self.kind == "question"


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
    """``completed``, ``failed`` or ``aborted``; ``running`` or ``needs_input`` while the run is not over."""
    note: str = ""
    """Text before the rest, such as the outcome of an answer, or that nothing was running."""
    session_id: str
    """Id of its session."""
    message_id: str
    """Id of its prompt, which is a message of the session."""
    directory: str
    """Directory in which it works."""
    title: str = ""
    """Title of its session."""
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
    """``passed``, ``failed`` or ``timed out``: result of the command that verified the work; empty if there is none."""
    verification: VerificationReport | None = None
    """Details of the verification."""
    files: list[ChangedFile] = Field(default_factory=list[ChangedFile])
    """Files that changed while it worked."""
    todos: list[str] = Field(default_factory=list[str])
    """The session's todo list, as ``[x] done`` and ``[ ] open``."""
    pending: list[PendingRequest] = Field(default_factory=list[PendingRequest])
    """Permissions and questions that OpenCode waits for."""
    session_forms: list[str] = Field(default_factory=list[str], exclude=True)
    """Ids of the open forms of the session for which the run does not wait."""
    decided: list[Decision] = Field(default_factory=list[Decision])
    """Permissions that the operator's policy answered by itself, or that a person or an agent refused."""
    children: list[str] = Field(default_factory=list[str])
    """The sessions of its subagents."""
    are_children_known: bool = Field(default=True, exclude=True)
    """False if OpenCode could not list them."""
    model: str = ""
    """Model that answered, as ``provider/model``."""
    agent: str = ""
    """Agent that worked on it."""
    tokens: Usage = Usage()
    """Tokens of all its model steps, with those of its subagents."""
    cost: float = 0
    """US dollars that the run cost, with its subagents."""
    subagents_cost: float = Field(default=0, exclude=True)
    """Part of it that they spent."""
    subagents_counted: int = Field(default=0, exclude=True)
    """Number of the subagents whose cost is included."""
    is_cost_known: bool = Field(default=True, exclude=True)
    """False if OpenCode has no cost of a part of the work, or that could not be read."""
    started: str = ""
    """Time of the prompt, such as ``2026-11-24T10:00:00Z``; empty if it is not known."""
    seconds: float = 0
    """Seconds since the prompt, until the end of the run if it has ended."""
    waited: float = 0
    """Seconds of these that it waited for answers to permissions and questions.

    Those for a permission that was answered elsewhere while no bridge followed the run are not known.
    """
    failure: FailureKind | None = Field(default=None, exclude=True)
    """Kind of the failure that ended it."""
    changes_loaded: str = Field(default="", exclude=True)
    """Sentence on when OpenCode loads changes of its configuration."""
    usable_models: list[str] = Field(default_factory=list[str], exclude=True)
    """Other models that can be used, after a failure."""
    also_running: list[str] = Field(default_factory=list[str], exclude=True)
    """Sessions of other runs that were started here and go on."""
    unlisted_tools: frozenset[str] = Field(default=frozenset(), exclude=True)
    """Tools that ``next`` does not name, since this server does not list them."""
    isolated: bool = Field(default=False, exclude=True)
    """True if the run worked in an isolated worktree that still exists."""
    remote: bool = Field(default=False, exclude=True)
    """True if that worktree is on another machine, where work is brought back by hand."""
    brought: bool = Field(default=False, exclude=True)
    """True if work of that worktree was brought to the project, and not taken out again."""
    place_gone: bool = Field(default=False, exclude=True)
    """True if its directory, or its isolated worktree, does not exist any more."""
    next: str = ""
    """Next step of the caller."""


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
    """Return the todo list as short lines: ``[x] done``, ``[ ] open``."""
    marks = {"completed": "x", "in_progress": ">", "cancelled": "-"}
    return [f"[{marks.get(todo.status, ' ')}] {one_line(todo.content)}" for todo in todos]

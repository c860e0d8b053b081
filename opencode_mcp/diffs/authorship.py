"""Authors of a changed file, if several sessions worked in the directory at the same time. Pure.

OpenCode compares the files before and after each step of the model, and counts everything that differs as the
session's. The tool calls say more: a file belongs to the sessions whose editing calls name it. A shell command may have
changed any file that no call names.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from opencode_mcp.diffs.named_files import (
    absolute,
    can_write,
    has_changed_something,
    named_files,
    names_files,
    possible_paths,
)
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import Part, PatchPart, StepFinishPart, ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

ChangeAuthor = Literal["this", "shared", "other", "unknown"]
"""Author of a change: this session, this one and others, others only, or unknown."""


@dataclass(frozen=True, slots=True)
class Period:
    """Time from a beginning to an end, in milliseconds since the epoch."""

    begin: float
    end: float

    def overlaps(self, other: "Period") -> bool:
        """Return True if two periods have a moment in common."""
        return self.begin < other.end and self.end > other.begin

    def overlaps_any(self, others: "Iterable[Period]") -> bool:
        """Return True if it overlaps one of several periods."""
        return any(self.overlaps(other) for other in others)


@dataclass(frozen=True, slots=True)
class WriteCall:
    """Tool call that may have changed files."""

    session_id: str
    title: str
    period: Period
    files: frozenset[str]
    """Absolute paths of the files that it names and has changed."""
    is_open: bool
    """True if it may have changed any file, as a shell command."""
    differing: frozenset[str] = frozenset()
    """Absolute paths of the files that differed after its step, by whichever session."""
    put_back: frozenset[str] = frozenset()
    """Absolute paths of the files that it may have put back, as the undo of a session does."""
    is_undone: bool = False
    """True if it is undone: what it changed is no longer there."""
    is_certain: bool = False
    """True if its result shows that it changed a file, and does not only name some."""


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """Step of the model, with what differed after it."""

    period: Period
    files: frozenset[str]
    """Absolute paths of the files."""


@dataclass(slots=True)
class SessionWork:
    """Work of one session that may have changed files."""

    reported: list[ChangeStep] = field(default_factory=list[ChangeStep])
    """Steps with the times of their messages."""
    ends: list[float] = field(default_factory=list[float])
    """Ends of the messages, also of those that changed nothing."""
    calls: list[WriteCall] = field(default_factory=list[WriteCall])
    subagents: set[str] = field(default_factory=set[str])
    """Sessions of the subagents that it started."""
    is_recorded: bool = False
    """True if OpenCode recorded the files after a step, so that a file that it does not name did not differ."""

    def add(self, message: Message, session: Session) -> None:
        """Add one message of a session."""
        period = period_of(message)
        time = message.info.time
        if time.completed or message.info.role == "user":
            self.ends.append(time.completed or time.created)
        self.is_recorded = self.is_recorded or any(map(_is_record, message.parts))
        steps = _steps_of(message, period, session.directory)
        self.reported += steps
        differing = frozenset[str]().union(*(step.files for step in steps))
        for call in message.tool_calls:
            self._add_call(call, session, period, differing)

    def _add_call(self, call: ToolPart, session: Session, period: Period, differing: frozenset[str]) -> None:
        if call.child_session:
            self.subagents.add(call.child_session)
        if not can_write(call):
            return
        times = call.state.time
        made = Period(times.start or period.begin, times.end or period.end)
        files = named_files(call, session.directory)
        is_open = not names_files(call)
        is_certain = has_changed_something(call)
        self.calls.append(WriteCall(session.id, session.title, made, files, is_open, differing, is_certain=is_certain))

    def add_undo(self, session: Session) -> None:
        """Add the undo of the work, which put its files back at a time that OpenCode does not tell."""
        undone = Period(self.period.end, math.inf)
        self.calls.append(
            WriteCall(session.id, session.title, undone, frozenset(), is_open=False, put_back=self.files | self.named)
        )

    @property
    def steps(self) -> list[ChangeStep]:
        """Return the steps, each from the end of the message before it on.

        OpenCode looks at the files before it asks the model. OpenCode 2 begins the message of a step when the model
        begins to answer.
        """
        return [ChangeStep(Period(self._begin_of(step), step.period.end), step.files) for step in self.reported]

    def _begin_of(self, step: ChangeStep) -> float:
        earlier = [end for end in self.ends if end <= step.period.begin]
        return max(earlier, default=step.period.begin)

    @property
    def files(self) -> frozenset[str]:
        """Return the files that differed after a step."""
        return frozenset(path for step in self.reported for path in step.files)

    @property
    def named(self) -> frozenset[str]:
        """Return the files that its editing calls name."""
        return frozenset(path for call in self.calls for path in call.files)

    @property
    def unrecorded(self) -> frozenset[str]:
        """Return the files that its editing calls have changed and OpenCode did not record, such as ignored ones."""
        calls = [call for call in self.calls if call.is_certain or not self.is_recorded]
        return frozenset(path for call in calls for path in call.files) - self.files

    @property
    def period(self) -> Period:
        """Return the time of all steps."""
        return _whole([step.period for step in self.steps] or [call.period for call in self.calls])


def _steps_of(message: Message, period: Period, directory: str) -> list[ChangeStep]:
    """Return the steps of a message after which files differed."""
    patches = [part for part in message.parts if isinstance(part, PatchPart) and part.files]
    return [ChangeStep(period, _absolute_paths(part, directory)) for part in patches]


def _absolute_paths(patch: PatchPart, directory: str) -> frozenset[str]:
    return frozenset(absolute(path, directory) for path in patch.files)


def _is_record(part: Part) -> bool:
    """Return True if a part shows that OpenCode recorded the files."""
    match part:
        case PatchPart():
            return True
        case StepFinishPart(snapshot=snapshot):
            return bool(snapshot)
        case _:
            return part.type == "step-start" and bool((part.model_extra or {}).get("snapshot"))


def _whole(periods: Sequence[Period]) -> Period:
    """Return the time from the first beginning to the last end."""
    begin = min((period.begin for period in periods), default=0)
    return Period(begin, max((period.end for period in periods), default=begin))


def period_of(message: Message) -> Period:
    """Return the time of a message; one that has not ended has no end."""
    time = message.info.time
    return Period(time.created, time.completed or math.inf)


def work_of(messages: Iterable[Message], session: Session) -> SessionWork:
    """Return the work in some messages of a session."""
    work = SessionWork()
    for message in messages:
        work.add(message, session)
    return work


@dataclass(frozen=True, slots=True)
class Authorship:
    """Authors of the changes of one file."""

    whose: ChangeAuthor
    others: Sequence[WriteCall] = ()
    """Calls of the other sessions that changed it, or may have; one for each session."""


@dataclass(frozen=True, slots=True)
class AuthorFinder:
    """Finds the authors of the changed files of one session.

    Args:
        directory: Directory of the session.
        steps: Its steps.
        own: Calls of the session and its subagents.
        others: Calls of other sessions.
        is_whole: Whether these are all of them.
    """

    directory: str
    steps: Sequence[ChangeStep]
    own: Sequence[WriteCall]
    others: Sequence[WriteCall]
    is_whole: bool = True

    def find(self, file: str, *, since: bool = False) -> Authorship:
        """Return the authors of a file.

        Args:
            file: Path of the file, as in a diff.
            since: Whether what others changed after the session's steps counts too. A command of theirs counts then if
                the file differed after it, since an undo must not take its work back.
        """
        paths = possible_paths(file, self.directory)
        during = self._periods(paths)
        meanwhile = _overlapping(self.others, during)
        counting = [*meanwhile, *self._afterwards(during, meanwhile)] if since else meanwhile
        is_own = bool(_naming(self.own, paths))
        if naming := _naming(counting, paths):
            return Authorship("shared" if is_own else "other", _each_session(naming))
        if since and (changing := _left_differing(counting, paths)):
            return Authorship("unknown", _each_session(changing))
        if is_own:
            return Authorship("this")
        return self._find_unnamed(_able(meanwhile, paths))

    def _afterwards(self, during: Sequence[Period], meanwhile: Sequence[WriteCall]) -> list[WriteCall]:
        """Return the calls of others after the beginning of some periods that are not undone, without those in them."""
        since = [Period(period.begin, math.inf) for period in during]
        lasting = [call for call in _overlapping(self.others, since) if not call.is_undone]
        return [call for call in lasting if call not in meanwhile]

    def _find_unnamed(self, able: Sequence[WriteCall]) -> Authorship:
        """Return the authors of a file that no call names.

        Args:
            able: Calls of others that may have changed it.
        """
        has_open_calls = any(call.is_open for call in self.own)
        if able:
            return Authorship("unknown" if has_open_calls else "other", _each_session(able))
        # Without a command of its own, it was a person, or a session that was deleted.
        return Authorship("this" if self.is_whole and has_open_calls else "unknown")

    def _periods(self, paths: frozenset[str]) -> list[Period]:
        """Return the periods of the steps after which a file differed; the time of all steps if none names it."""
        naming = [step.period for step in self.steps if step.files & paths]
        return naming or [_whole([*(step.period for step in self.steps), *(call.period for call in self.own)])]


def _naming(calls: Sequence[WriteCall], paths: frozenset[str]) -> list[WriteCall]:
    """Return the calls that name and have changed the file of some paths."""
    return [call for call in calls if call.files & paths]


def _able(calls: Sequence[WriteCall], paths: frozenset[str]) -> list[WriteCall]:
    """Return the calls that may have changed the file of some paths without naming it."""
    return [call for call in calls if call.is_open or call.put_back & paths]


def _left_differing(calls: Sequence[WriteCall], paths: frozenset[str]) -> list[WriteCall]:
    """Return the calls that may have changed any file, and after whose step the file of some paths differed."""
    return [call for call in calls if call.is_open and call.differing & paths]


def _overlapping(calls: Sequence[WriteCall], periods: Sequence[Period]) -> list[WriteCall]:
    return [call for call in calls if call.period.overlaps_any(periods)]


def _each_session(calls: Iterable[WriteCall]) -> list[WriteCall]:
    """Return one call of each session."""
    return list({call.session_id: call for call in calls}.values())

"""Line that says what a run does at this moment: a pause, the open tool calls, what the model writes, or the silence.

It is made from the event stream where that was followed since the prompt, else from the messages on record. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode_mcp.opencode.vocabulary.call_subject import call_subject
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ReasoningPart, TextPart, ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.runs.following.progress_lines import LINE_LIMIT, relative, retrying, writing
from opencode_mcp.text.json_values import as_map, as_number
from opencode_mcp.text.outside_text import shorten

if TYPE_CHECKING:
    from opencode_mcp.events.present_work import PresentWork, RunningCall
    from opencode_mcp.events.session_state import SessionState

CALLS_SHOWN = 3
DEPTH = 4
"""Levels of subagents that are looked at."""
WAITING_FOR_MODEL = "waiting for the model"
THINKING = "the model is thinking"
WRITING = "the model has begun its answer; its text is not known here"
StateOf = Callable[[str], "SessionState"]
"""Gives the state of a session by the event stream."""


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The present time."""

    stream: float
    """Seconds of the clock by which the event stream's times are kept."""
    opencode: float
    """Milliseconds since the epoch, by OpenCode's clock."""


def activity_on_stream(state_of: StateOf, session_id: str, directory: str, now: CurrentTime, depth: int = DEPTH) -> str:
    """Return the activity of a session whose events were all seen since its prompt.

    Args:
        state_of: Gives the states of the session and its subagents.
        session_id: The session.
        directory: The project's; paths in it are shown relative to it.
        now: The present time.
        depth: Levels of subagents to look at.
    """
    state = state_of(session_id)
    if state.status and state.status.type == "retry":
        return shorten(retrying(state.status, now.opencode), LINE_LIMIT)
    work = state.work
    if work.calls:
        lines = [_open_call(call, state_of, directory, now, depth) for call in work.calls.values()]
        return _joined(lines)
    return _model_line(work, state.draft.length if state.draft else 0, now)


def _model_line(work: "PresentWork", characters: int, now: CurrentTime) -> str:
    """Return the line for a model that writes, or that is waited for."""
    silence = now.stream - work.last_output if work.last_output else 0
    if work.writes == "reasoning":
        return THINKING + _silence(silence)
    if work.writes == "text" and characters:
        return writing(characters) + (f", no further output for {silence:.0f} s" if silence >= 1 else "")
    return WAITING_FOR_MODEL + _silence(silence)


def _silence(seconds: float) -> str:
    return f", no output for {seconds:.0f} s" if seconds >= 1 else ""


def _open_call(call: "RunningCall", state_of: StateOf, directory: str, now: CurrentTime, depth: int) -> str:
    if not call.is_running:
        return f"the model is writing a call of {call.tool}" + _seconds(now.stream - call.began)
    line = _call_line(call.tool, call.subject, directory, now.stream - call.began)
    if not call.child_session or not depth:
        return line
    return f"{line}; subagent: {activity_on_stream(state_of, call.child_session, directory, now, depth - 1)}"


def activity_on_record(
    answers: Sequence[Message],
    directory: str,
    status: SessionStatus | None,
    now: CurrentTime,
    *,
    age: float = 0,
    state_of: StateOf | None = None,
) -> str:
    """Return the activity of a run, by the messages that answer its prompt.

    Args:
        answers: The messages, oldest first.
        directory: The project's; paths in it are shown relative to it.
        status: The session's, if it is busy.
        now: The present time.
        age: Seconds since the prompt; 0 if they are not known.
        state_of: Gives the states of subagents by the event stream, which may have been followed since their prompts.
    """
    if status and status.type == "retry":
        return shorten(retrying(status, now.opencode), LINE_LIMIT)
    if not answers:
        return WAITING_FOR_MODEL + _silence(age)
    last = answers[-1]
    if calls := _open_calls(last):
        return _joined([_recorded_call(call, state_of, directory, now) for call in calls])
    return _writing_line(last) or WAITING_FOR_MODEL + _silence((now.opencode - _last_output(last)) / 1000)


def _open_calls(message: Message) -> list[ToolPart]:
    return [call for call in message.tool_calls if not call.has_ended]


def _recorded_call(part: ToolPart, state_of: StateOf | None, directory: str, now: CurrentTime) -> str:
    line = _call_line(part.tool, call_subject(part.state.input), directory, _age(part, now))
    if state_of is None or not part.child_session or not state_of(part.child_session).working_on:
        return line
    return f"{line}; subagent: {activity_on_stream(state_of, part.child_session, directory, now, DEPTH - 1)}"


def _last_output(message: Message) -> float:
    """Return the time of the last output in a message, in milliseconds since the epoch."""
    calls = [call.state.time.end or 0 for call in message.tool_calls]
    texts = [_end_of(part) for part in message.parts if isinstance(part, TextPart | ReasoningPart)]
    return max(message.info.time.created, message.info.time.completed or 0, *calls, *texts)


def _writing_line(message: Message) -> str:
    """Return the line for what the model is writing in a message; empty if the message shows no unfinished text.

    OpenCode records a text without its words until it is complete.
    """
    if message.info.time.completed is not None or not message.parts:
        return ""
    part = message.parts[-1]
    if not isinstance(part, TextPart | ReasoningPart) or _has_end(part):
        return ""
    if isinstance(part, ReasoningPart):
        return THINKING
    return writing(len(part.text)) if part.text else WRITING


def _has_end(part: TextPart | ReasoningPart) -> bool:
    return bool(_end_of(part))


def _end_of(part: TextPart | ReasoningPart) -> float:
    """Return the end of a text, in milliseconds since the epoch; 0 if it has none."""
    return as_number(as_map((part.model_extra or {}).get("time")).get("end")) or 0


def _age(part: ToolPart, now: CurrentTime) -> float:
    begin = part.state.time.start
    return (now.opencode - begin) / 1000 if begin else 0


def _call_line(tool: str, subject: str, directory: str, seconds: float) -> str:
    line = f"{tool}: {relative(subject, directory)}" if subject else tool
    return shorten(line, LINE_LIMIT) + _seconds(seconds)


def _seconds(seconds: float) -> str:
    return f" ({seconds:.0f} s)" if seconds >= 1 else ""


def _joined(lines: Sequence[str]) -> str:
    more = len(lines) - CALLS_SHOWN
    return " · ".join([*lines[:CALLS_SHOWN], *([f"and {more} more calls"] if more > 0 else [])])

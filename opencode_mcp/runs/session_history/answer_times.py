"""Time that a run waited for answers, by what is on record: calls of questions, noted answers, open requests."""

from collections.abc import Iterable, Sequence

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import QUESTION_TOOL
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.session_history.given_answers import GivenAnswer

Interval = tuple[float, float]
"""Beginning and end of a wait, in milliseconds since the epoch."""


def recorded_seconds(
    answers: Sequence[Message], given: Iterable[GivenAnswer], prompt_id: str, open_requests: Iterable[str], now: float
) -> float:
    """Return the seconds that a run waited; requests that were open together count once.

    Args:
        answers: The assistant's messages of the run.
        given: Answers that its session has on record.
        prompt_id: The run's prompt.
        open_requests: Ids of the requests that nobody has answered; an id shows when it was made.
        now: Milliseconds since the epoch, by OpenCode's clock.
    """
    waits = [(one.asked, one.answered) for one in given if one.prompt_id == prompt_id]
    waits += [(now - age_of(request, int(now)) * 1000, now) for request in open_requests]
    return _covered([*waits, *_of_questions(answers, now)]) / 1000


def _of_questions(answers: Sequence[Message], now: float) -> list[Interval]:
    calls = [call for message in answers for call in message.tool_calls]
    times = [call.state.time for call in calls if call.tool == QUESTION_TOOL]
    return [(time.start, time.end or now) for time in times if time.start]


def _covered(intervals: Iterable[Interval]) -> float:
    """Return the time that some intervals cover together."""
    covered, until = 0.0, 0.0
    for begin, end in sorted(intervals):
        covered += max(end - max(begin, until), 0)
        until = max(until, end)
    return covered

"""Time that a run waited for answers: by the event stream if that was followed since the prompt, else by the record."""

from collections.abc import Iterable, Sequence

import anyio

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.session_history.answer_times import recorded_seconds
from opencode_mcp.runs.session_history.given_answers import GivenAnswer


def waited_seconds(
    hub: Hub,
    prompt_id: str,
    answers: Sequence[Message],
    given: Iterable[GivenAnswer],
    open_requests: Iterable[str],
    now: float,
) -> float:
    """Return the seconds that a run waited; the least that is known if neither stream nor record is complete.

    Args:
        hub: Knows the event stream.
        prompt_id: Prompt of the run.
        answers: The assistant's messages of the run.
        given: Answers that its session has on record.
        open_requests: Ids of the requests that nobody has answered.
        now: Milliseconds since the epoch, by OpenCode's clock.
    """
    seen = hub.answer_waits.seconds(prompt_id, anyio.current_time()) or 0
    if hub.answer_waits.is_whole(prompt_id):
        return round(seen, 3)
    return round(max(seen, recorded_seconds(answers, given, prompt_id, open_requests, now)), 3)

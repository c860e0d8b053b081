"""Line on what a run does now, from the event stream, or from its messages if the stream missed something."""

from collections.abc import Sequence

import anyio

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.runs.following.activity import CurrentTime, activity_on_record, activity_on_stream
from opencode_mcp.runs.run_age import run_age
from opencode_mcp.runs.run_record import Run, last_answers


def waiting_behind(prompt: str) -> str:
    """Return the activity of a prompt that OpenCode has not begun, since it works on another one of the session."""
    return f"nothing yet; the prompt waits in the inbox of the session until {prompt or 'its present work'} has ended"


async def present_activity(
    client: OpenCodeClient,
    hub: Hub,
    run: Run,
    status: SessionStatus | None,
    answers: Sequence[Message] | None = None,
) -> str:
    """Return what a run does at this moment.

    Args:
        client: Reads the run's last messages, if the event stream was not followed since its prompt.
        hub: Knows the event stream.
        run: The run.
        status: The session's, as far as it was read.
        answers: The messages that answer the prompt, if they have been read.

    Raises:
        BackendError: OpenCode could not be read.
    """
    now = CurrentTime(anyio.current_time(), client.clock.now() * 1000)
    state = hub.state(run.session_id)
    if state.working_on == run.message_id:
        return activity_on_stream(hub.state, run.session_id, run.directory, now)
    if answers is None:
        answers, _ = await last_answers(client, run)
    age = run_age(client, run)
    return activity_on_record(answers, run.directory, state.status or status, now, age=age, state_of=hub.state)

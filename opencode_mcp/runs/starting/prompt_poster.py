"""Sending of a prompt: once, until OpenCode works on it, or shows that it does not have it.

OpenCode 1 shows the message of a prompt some milliseconds before the session is busy. A second prompt that comes in
between joins the work on the first one. So a prompt has begun when it is shown and the session is busy, or was.
"""

import logging

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission, Receipt
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.known_prompts import KnownPrompts
from opencode_mcp.runs.output_schema.schema_in_prompt import with_schema_in_text
from opencode_mcp.runs.prompting.message_ids import message_id_after, new_message_id
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.prompting.send_failures import is_reported_failure, may_have_arrived
from opencode_mcp.runs.run_record import Run

logger = logging.getLogger(__name__)

LEAST_POST_SECONDS = 5.0
"""Seconds that OpenCode has to take a prompt, however late it is: it usually takes a hundredth of that."""
BEGIN_SECONDS = 2.0
"""Seconds within which OpenCode must begin a prompt that it has taken."""
BEGIN_SILENCE_SECONDS = 0.2
"""Seconds without an event after which OpenCode is asked whether the session is busy."""


async def next_message_id(client: OpenCodeClient, session: Session | None) -> str:
    """Make an id for the next prompt by OpenCode's clock.

    Args:
        client: Knows OpenCode's clock.
        session: Where the prompt goes; none: a new session.
    """
    made = new_message_id(client.clock.now())
    if session is None or not client.clock.ahead:
        return made
    # A clock that is read from afar errs by a second, and what came last may be younger.
    last = (await client.session_messages(session.id, limit=1)).items
    return message_id_after(last[-1].info.id, made) if last else made


class PromptPoster:
    """Sends prompts, and keeps what is known of them.

    Args:
        hub: The events of the server that gets them.
        known: What this bridge knows of the prompts that it has sent.
    """

    def __init__(self, hub: Hub, known: KnownPrompts) -> None:
        self._hub = hub
        self._known = known

    async def post(
        self, client: OpenCodeClient, run: Run, prompt: Prompt, seconds: float, *, is_first: bool = False
    ) -> None:
        """Send a prompt in the turn of its session, whose note is written (``session.prompt_async``).

        Args:
            client: Of the turn.
            run: The run of the prompt.
            prompt: The prompt.
            seconds: Time that OpenCode has to take it.
            is_first: Whether the session was created for it.

        Raises:
            BridgeError: OpenCode does not have it.
        """
        self._hub.kept_state(run.session_id).error = None
        self._known.words[run.message_id] = run.words
        self._known.schemas[run.message_id] = prompt.output_schema
        self._known.models[run.message_id] = prompt.model
        with self._hub.listen(run.session_id) as listener:
            submission = prompt.submission(run.message_id, is_first=is_first)
            sent = anyio.current_time()
            failed = await self._send(client, run, submission, seconds)
            try:
                begun = await self._see_begin(client, run, listener, sent)
            except BridgeError as error:
                # The prompt is with OpenCode, so its caller must learn which run it is.
                logger.info("could not see %s begin: %s", run.message_id, error)
                return
        if failed and not begun:
            state = self._hub.kept_state(run.session_id)
            state.error = state.error or Failure(data={"message": failed.message})

    async def _send(
        self, client: OpenCodeClient, run: Run, submission: PromptSubmission, seconds: float
    ) -> BridgeError | None:
        """Send a prompt once, and return with what OpenCode says that it failed at it; it may have it all the same.

        Raises:
            BridgeError: OpenCode does not have it.
        """
        try:
            if not (await client.features()).output_schemas:
                submission = with_schema_in_text(submission)
            accepted = await client.submit_prompt(run.session_id, run.directory, submission, timeout=seconds)
        except BridgeError as error:
            if not may_have_arrived(error):
                raise
            logger.info("sending %s failed: %s", run.message_id, error)
            return error if is_reported_failure(error) else None
        self.accepted(accepted)
        return None

    def accepted(self, accepted: Receipt) -> None:
        """Keep the settings of its session that a prompt has changed, until its run is reported."""
        if accepted.agent or accepted.model:
            self._known.accepted[accepted.message_id] = accepted

    async def _see_begin(self, client: OpenCodeClient, run: Run, listener: Listener, sent: float) -> bool:
        """Hold the session's turn until OpenCode works on the prompt; return False if it does not show the prompt.

        Args:
            client: Reads whether the session is busy, if there are no events.
            run: The run of the prompt.
            listener: Gets the events of the session.
            sent: Time at which the prompt was sent.
        """
        deadline = anyio.current_time() + BEGIN_SECONDS
        state = self._hub.kept_state(run.session_id)
        while not (state.error or state.has_begun(run.message_id, sent)):
            left = deadline - anyio.current_time()
            if left <= 0:
                return run.message_id in state.prompts
            events = await listener.wait(min(BEGIN_SILENCE_SECONDS, left))
            if not events and run.session_id in await client.session_status(run.directory):
                # It was idle before in the same turn, so it can work on nothing else.
                state.working_on = run.message_id
                return True
        return True

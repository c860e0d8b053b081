"""Following of a run whose work is verified: it goes on until the verification has ended, with the repairs it caused.

A failure that is sent back to the session is a further prompt, and part of the same run: a follower of the run follows
that prompt once it was sent. Therefore a run can be found and reported by the id of its first prompt alone.
"""

from dataclasses import replace

import anyio

from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.observation import Observation, ObservePrompt
from opencode_mcp.runs.following.wait_callbacks import SendProgress
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.verification.verification_progress import Verification

PROGRESS_SECONDS = 10.0
"""Time between two lines of progress while a command runs."""


async def observe_verified(
    run: Run, verification: Verification, observe_prompt: ObservePrompt, deadline: Deadline, send_progress: SendProgress
) -> Observation:
    """Follow a run, its verification, and the prompts that send a failure back.

    Args:
        run: The run.
        verification: Its verification; a task of this bridge takes care of it, or it is not waited for.
        observe_prompt: Follows each of the prompts.
        deadline: End of the wait.
        send_progress: Gets the lines of progress.

    Raises:
        BackendError: OpenCode could not be read.
    """
    while True:
        repairs = verification.record.repairs
        prompts = [run.message_id, *repairs]
        seen = await observe_prompt(replace(run, message_id=prompts[-1]))
        seen.prompts = prompts
        if verification.record.repairs != repairs:
            continue
        if not verification.is_pending or not _may_go_on(seen):
            return seen
        if not await _wait_for_change(verification, repairs, deadline, send_progress):
            seen.state, seen.verifying = State.RUNNING, verification.activity
            return seen


def _may_go_on(seen: Observation) -> bool:
    """Return True if a verification may go on after a prompt, or find that OpenCode never got the prompt."""
    return seen.state is State.COMPLETED or (seen.state is State.LOST and not seen.gone)


async def _wait_for_change(
    verification: Verification, repairs: tuple[str, ...], deadline: Deadline, send_progress: SendProgress
) -> bool:
    """Wait until a verification has ended or has sent a failure back; return False if the deadline passes before."""
    while verification.is_pending and verification.record.repairs == repairs:
        if deadline.passed:
            return False
        changed = verification.changed
        await send_progress(verification.activity)
        with anyio.move_on_after(min(PROGRESS_SECONDS, deadline.remaining)):
            await changed.wait()
    return True

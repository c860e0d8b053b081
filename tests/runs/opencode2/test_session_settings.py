"""Agent and model belong to the session on OpenCode 2: a report says once that a prompt changed them."""

import pytest

from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_prompt_that_changes_a_session_for_later_ones_says_so_once(worker: Worker) -> None:
    first = await worker.run(text("First."), agent="build")
    assert first.note == ""
    run = await worker.start(text("Second."), session=session_of(first), agent="plan", model="scripted/m2")
    notes = [(await worker.runs.follow(run, WAIT)).note for _ in range(2)]
    assert notes == [
        "The session now uses agent plan and model scripted/m2, also for later prompts that name none.",
        "",
    ]

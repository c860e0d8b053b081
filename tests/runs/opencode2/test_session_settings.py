"""Agent and model belong to the session on OpenCode 2: a report says once that a prompt changed them."""

import pytest

from opencode_mcp.errors import NotFound
from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_a_model_that_is_not_listed_may_lack_credentials(worker: Worker) -> None:
    with pytest.raises(NotFound, match="anthropic/claude") as refused:
        await worker.start(text("Never said."), model="anthropic/claude")
    assert "only if its provider has credentials" in refused.value.hint


async def test_a_prompt_that_changes_a_session_for_later_ones_says_so_once(worker: Worker) -> None:
    first = await worker.run(text("First."), agent="build", model="scripted/m1", variant="high")
    assert (first.agent, first.model, first.note) == ("build", "scripted/m1", "")
    run = await worker.start(text("Second."), session=session_of(first), agent="plan", model="scripted/m2")
    notes = [(await worker.runs.follow(run, WAIT)).note for _ in range(2)]
    assert notes == [
        "The session now uses agent plan and model scripted/m2, also for later prompts that name none.",
        "",
    ]
    again = await worker.run(text("Third."), session=session_of(first), agent="plan", model="scripted/m2")
    assert (again.model, again.note) == ("scripted/m2", "")

"""A waiter judges a run by its own record, not by what its session did before or after."""

from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.models import Session
from opencode_mcp.runs import state
from opencode_mcp.runs.prompt import Prompt
from opencode_mcp.runs.record import Run
from opencode_mcp.runs.run import Runs
from tests.harness.model import ScriptedModel
from tests.scripted_model.actions import Action, Step
from tests.scripted_model.script import bash, hold, script, silence, step, structured, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

WAIT = 40


@pytest.fixture
def start(runs: Runs, workplace: Path) -> "Start":
    return Start(runs, str(workplace))


class Start:
    """Starts scripted runs in the workplace."""

    def __init__(self, runs: Runs, directory: str) -> None:
        self._runs = runs
        self._directory = directory

    async def __call__(self, *steps: Action | Step, after: Run | None = None, **chosen: object) -> Run:
        """Start a run, in the session of an earlier one where that is given."""
        session = Session(id=after.session_id, directory=after.directory) if after else None
        prompt = Prompt(text=script(*steps), directory=self._directory, **chosen)  # pyright: ignore[reportArgumentType]
        return await self._runs.start(prompt, session)


async def test_a_prompt_in_a_session_that_was_quiet_for_long_is_not_taken_for_one_that_died(
    runs: Runs, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(text("First."))
    await runs.follow(run, WAIT)
    monkeypatch.setattr(state, "QUIET_LIMIT", 0.5)
    for number in range(5):
        await anyio.sleep(0.7)
        run = await start(step(silence(0.2), text(f"Number {number}.")), after=run)
        report = await runs.follow(run, WAIT)
        assert (report.status, report.text) == ("completed", f"Number {number}.")


async def test_a_run_stays_as_it_ended_while_its_session_works_on_the_next_prompt(
    runs: Runs, start: Start, scripted_model: ScriptedModel
) -> None:
    first = await start(bash("echo first"), text("First."))
    before = await runs.follow(first, WAIT)
    second = await start(step(hold("the next prompt"), text("Second.")), after=first)
    assert await runs.follow(first, 0) == before
    assert not await runs.stop(first)
    assert (await runs.follow(second, 0)).status == "running"
    await scripted_model.release("the next prompt")
    assert (await runs.follow(second, WAIT)).text == "Second."
    assert await runs.follow(first, 0) == before


async def test_a_run_with_a_structured_answer_stays_as_it_ended_too(runs: Runs, start: Start) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "integer"}}}
    first = await start(structured({"answer": 42}), output_schema=schema)
    before = await runs.follow(first, WAIT)
    second = await start(text("Second."), after=first)
    await runs.follow(second, WAIT)
    assert (await runs.follow(first, 0)).output == before.output == {"answer": 42}

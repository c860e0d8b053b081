"""Hands out scripted prompts in one project, straight through the layer of runs."""

from typing import Any

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.run_report import RunReport
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from tests.scripted_model.script import Action, Step, script

WAIT = 40
"""Seconds that a run may take."""


class Worker:
    """Hands out scripted prompts in the workplace."""

    def __init__(self, runs: Runs, directory: str) -> None:
        self.runs = runs
        self.directory = directory

    async def start(self, *steps: Action | Step, session: Session | None = None, **chosen: Any) -> Run:  # noqa: ANN401
        """Start a run; what else is chosen are fields of ``Prompt``."""
        prompt = Prompt(text=script(*steps), directory=self.directory, **chosen)
        return await self.runs.start(prompt, session)

    async def run(self, *steps: Action | Step, session: Session | None = None, **chosen: Any) -> RunReport:  # noqa: ANN401
        """Start a run and wait for its end."""
        return await self.runs.follow(await self.start(*steps, session=session, **chosen), WAIT)


def session_of(run: Run | RunReport) -> Session:
    return Session(id=run.session_id, directory=run.directory)

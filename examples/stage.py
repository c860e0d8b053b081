"""Environment of the demo: a small project, and a bridge with a model.

Without a model of your own, OpenCode is isolated in a temporary folder and uses the scripted model of the tests, so the
demo needs no key, costs nothing and changes nothing of yours. With one, it uses your OpenCode with its configuration.
OpenCode 2 is that of the tests: the engine of a preview behind a proxy that speaks the released API.
"""

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.launch import Launch, end_left_server, starting
from tests.harness.project import commit, configure, git
from tests.harness.servers.model import running_model
from tests.harness.servers.opencode import binary
from tests.scripted_model.actions import Action, ToolCall
from tests.scripted_model.script import bash, edit, questions, script, silence, step, text, todos, tool, write

TASK = (
    "total() in price.py says 0.30000000000000004 for 0.1 + 0.2. Ask me how totals are to be rounded, "
    "fix it, add a unittest and run it."
)
PRICE = '''def total(prices: list[float]) -> float:
    """Add up prices."""
    return sum(prices)
'''
TEST = """import unittest

from price import total


class TotalTest(unittest.TestCase):
    def test_a_total_has_whole_cents(self) -> None:
        self.assertEqual(0.3, total([0.1, 0.2]))
"""
QUESTION = {
    "header": "Rounding",
    "question": "How are totals to be rounded?",
    "options": [
        {"label": "To cents", "description": "0.1 + 0.2 is 0.3"},
        {"label": "Not at all", "description": "0.1 + 0.2 stays 0.30000000000000004"},
    ],
}
PLAN = ("Ask how to round", "Fix total()", "Test it")
PLANNING = "todowrite"
THOUGHT = 0.5
"""Seconds that the scripted model takes for each step, so that a person can follow."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Project, bridge and prompt of the demo."""

    project: Path
    bridge: Launch
    prompt: str


@contextmanager
def set_up(model: str, generation: Generation = 1) -> Generator[Stage]:
    """Create the project and choose the model; the end of the block removes everything.

    Args:
        model: Model of the user's own OpenCode, as ``provider/model``; empty for the scripted one.
        generation: Generation of OpenCode that the scripted model is used with.
    """
    with TemporaryDirectory(prefix="opencode-mcp-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        project = _make_project(folder / "shop")
        with _own_stage(folder, project, model) if model else _scripted_stage(folder, project, generation) as stage:
            try:
                yield stage
            finally:
                end_left_server(stage.bridge)


def _make_project(project: Path) -> Path:
    project.mkdir()
    (project / "price.py").write_text(PRICE, encoding="utf-8")
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project)
    (project / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    # If its address of the schema is missing, OpenCode adds it.
    configure(project, {"$schema": "https://opencode.ai/config.json", "permission": {"bash": "ask"}})
    return project


@contextmanager
def _scripted_stage(folder: Path, project: Path, generation: Generation) -> Generator[Stage]:
    with running_model(folder / "model.log") as model:
        yield Stage(project, starting(folder, model, project, generation), _scripted_prompt(plans=generation == 1))


@contextmanager
def _own_stage(folder: Path, project: Path, model: str) -> Generator[Stage]:
    environment = {**os.environ, "OPENCODE_MCP_STATE": str(folder / "bridge")}
    if shutil.which("opencode") is None:
        environment["OPENCODE_MCP_OPENCODE"] = str(binary())
    bridge = Launch(("--directory", str(project), "--model", model), environment, folder / "bridge.log")
    yield Stage(project, bridge, TASK)


def _scripted_prompt(*, plans: bool = True) -> str:
    """Return the task with the script of the model.

    Args:
        plans: Whether the model keeps a todo list, for which OpenCode 2 has no tool.
    """
    fixed = "    return round(sum(prices), 2)"
    steps = [
        [silence(THOUGHT), tool("read", filePath="price.py"), _plan(0)],
        [silence(THOUGHT), questions(QUESTION)],
        [silence(THOUGHT), edit("price.py", "    return sum(prices)", fixed), _plan(1)],
        [silence(THOUGHT), write("test_price.py", TEST), _plan(2)],
        [silence(THOUGHT), bash("python -m unittest -q")],
        [_plan(3), silence(THOUGHT)],
    ]
    kept = steps if plans else [_without_plan(actions) for actions in steps[: len(steps) - 1]]
    answer = text("Totals are now rounded to cents, and a unittest that passes checks it.")
    return script(*(step(*actions) for actions in kept), answer, say=TASK)


def _without_plan(actions: Sequence[Action]) -> list[Action]:
    return [action for action in actions if not (isinstance(action, ToolCall) and action.name == PLANNING)]


def _plan(done: int) -> ToolCall:
    marks = ["completed"] * done + ["in_progress"] + ["pending"] * len(PLAN)
    return todos(*zip(PLAN, marks, strict=False))

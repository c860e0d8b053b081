"""OpenCode ends while a batch is at work, and cannot be started again at once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.bridges.launch import Launch, end_left_server, starting
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import binary
from tests.harness.waiting import eventually
from tests.scripted_model.script import hold, script, step, text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no scripts by their first line"),
]

REFUSALS = 3
"""Number of starts that fail."""
PROGRAM = """#!/bin/sh
if [ "$1" = serve ] && [ -e "{broken}" ]; then
    echo "cannot find module x"; echo x >> "{refused}"; exit 1
fi
exec "{opencode}" "$@"
"""


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, project: Path) -> Iterator[Launch]:
    """A bridge that starts an OpenCode, which refuses to start while there is a file ``broken``."""
    program = tmp_path / "opencode"
    names = {"broken": tmp_path / "broken", "refused": tmp_path / "refused", "opencode": binary()}
    program.write_text(PROGRAM.format(**names), encoding="utf-8")
    program.chmod(0o755)
    launch = starting(tmp_path, scripted_model, project).within(OPENCODE_MCP_OPENCODE=str(program))
    yield launch
    end_left_server(launch)


async def test_tasks_wait_for_an_opencode_that_cannot_be_started_again_at_once(
    launch: Launch, tmp_path: Path, scripted_model: ScriptedModel, case: str
) -> None:
    held = f"outage {case}"
    works = {"prompt": script(step(text("On."), hold(held))), "title": "Works"}
    starts = {"prompt": script(text("Done.")), "title": "Starts", "isolate": True}
    waits = {"prompt": script(text("Done.")), "title": "Waits"}

    async def starts_were_refused() -> bool:
        refused = tmp_path / "refused"
        return refused.exists() and len(refused.read_text(encoding="utf-8").splitlines()) >= REFUSALS

    async with open_raw(launch) as client:
        begun = await client.call("opencode_run_many", tasks=[works, starts, waits], parallel=2, wait_seconds=0)
        await scripted_model.reached(held)
        (tmp_path / "broken").touch()
        end_left_server(launch)
        await eventually(starts_were_refused, seconds=60)
        await scripted_model.release(held)
        (tmp_path / "broken").unlink()
        batch_id = begun["structuredContent"]["batch_id"]
        table = (await client.call("opencode_wait", session_id=batch_id, wait_seconds=90))["structuredContent"]
        assert {task["status"] for task in table["tasks"]} == {"completed"}, table

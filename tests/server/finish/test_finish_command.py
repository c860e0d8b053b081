"""The command of --on-finish ends by itself if the bridge ends meanwhile."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from anyio.abc import TaskGroup

from opencode_mcp.runs.outcome.run_report import RunReport
from opencode_mcp.server.finish.finish_command import FinishCommand
from opencode_mcp.settings import Settings
from tests.harness.waiting import eventually

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

pytestmark = pytest.mark.anyio

PROGRAM = """
import sys, time
from pathlib import Path
begun, go, ended = map(Path, sys.argv[1:])
begun.touch()
while not go.exists():
    time.sleep(0.01)
ended.write_text(sys.stdin.read())
"""
REPORT = RunReport(status="completed", session_id="ses_1", message_id="msg_1", directory="/p")


async def test_a_command_that_has_begun_ends_by_itself_when_the_bridge_ends(tmp_path: Path) -> None:
    begun, go, ended = (anyio.Path(tmp_path, name) for name in ("begun", "go", "ended"))
    command = (sys.executable, "-c", PROGRAM, str(begun), str(go), str(ended))

    async def end_meanwhile(group: TaskGroup) -> None:
        await eventually(begun.exists)
        group.cancel_scope.cancel()
        await go.touch()

    async with anyio.create_task_group() as whole:
        async with anyio.create_task_group() as group:
            bridge = SimpleNamespace(settings=Settings(on_finish=command), spawn=group.start_soon)
            whole.start_soon(end_meanwhile, group)
            FinishCommand(cast("Bridge", bridge)).pass_on_later(REPORT)
        assert '"session_id": "ses_1"' in await ended.read_text()

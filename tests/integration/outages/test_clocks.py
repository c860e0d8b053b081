"""A bridge whose clock is not OpenCode's: ids and ages follow OpenCode's."""

import time
from pathlib import Path

import pytest

from opencode_mcp.runs.prompting.message_ids import age_of
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch
from tests.harness.servers.model import ScriptedModel
from tests.integration.host import Host
from tests.scripted_model.script import hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
LONGEST = 30.0
"""Seconds that passed at most since a prompt of a test was sent, however busy the machine is."""


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """A folder that shifts a process's clock by the seconds in TEST_CLOCK."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, time\n"
        "real, shift = time.time, float(os.environ['TEST_CLOCK'])\n"
        "time.time = lambda: real() + shift\n",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("seconds", [60, -60])
async def test_a_clock_that_is_off_changes_neither_ids_nor_ages(
    launch: Launch, shifted: Path, scripted_model: ScriptedModel, seconds: int
) -> None:
    async with open_bridge(launch.within(PYTHONPATH=str(shifted), TEST_CLOCK=str(seconds))) as bridge:
        host = Host(bridge)
        session_id = await host.start(step(hold("off"), text("One.")))
        await scripted_model.reached("off")
        report = await host.wait(session_id, wait_seconds=0)
        assert report["status"] == "running"
        made = int(time.time() * 1000)
        # An id of a clock that is ahead has no age.
        assert 0 < age_of(report["message_id"], made) < LONGEST
        assert report["activity"].startswith("waiting for the model")
        assert 0 < report["seconds"] < LONGEST
        await scripted_model.release("off")
        first = await host.wait(session_id)
        second = await host.run(text("Two."), session_id=session_id)
        assert (first["text"], second["text"]) == ("One.", "Two.")
        assert second["message_id"] > first["message_id"]
        recent = await host.data("opencode_list_sessions", since="1m")
        assert session_id in {session["session_id"] for session in recent["sessions"]}

"""What there is to work with, told by the real OpenCode."""

from pathlib import Path

import pytest

from tests.harness.model import ScriptedModel
from tests.integration.host import Host
from tests.scripted_model.script import hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_it_tells_the_server_the_project_and_what_can_be_chosen(
    host: Host, workplace: Path, asking: Path
) -> None:
    status = await host.data("opencode_status")
    assert status["opencode"].count(".") == 2
    assert status["directory"] == str(workplace)
    assert status["allowed_directories"] == [str(workplace), str(asking)]
    assert status["branch"] == "main"
    assert {"build", "plan", "general"} <= set(status["agents"])
    assert status["models"] == ["scripted/m1", "scripted/m2"]
    assert status["default_model"] == "scripted/m1"
    assert "init" in status["commands"]


async def test_its_text_has_a_line_for_each_fact(host: Host, workplace: Path) -> None:
    told = (await host.text("opencode_status")).splitlines()
    assert f"directory: {workplace}" in told
    assert "models: scripted/m1, scripted/m2" in told
    assert "branch: main" in told


async def test_it_tells_which_files_changed_and_which_sessions_work(
    host: Host, asking: Path, scripted_model: ScriptedModel, era: str
) -> None:
    (asking / f"new-{era}.txt").write_text("x\n", encoding="utf-8")
    gate = f"status {era}"
    session = await host.start(step(hold(gate), text("Done.")), directory=str(asking))
    await scripted_model.reached(gate)
    status = await host.data("opencode_status", directory=str(asking))
    assert f"added new-{era}.txt" in status["changed_files"]
    assert session in status["running_sessions"]
    await scripted_model.release(gate)
    await host.wait(session)
    assert session not in (await host.data("opencode_status", directory=str(asking)))["running_sessions"]


async def test_it_shows_no_key_of_a_provider(host: Host) -> None:
    # The scripted provider's key is the word itself, so it may stand only where the provider's name does.
    told = await host.text("opencode_status")
    assert told.count("scripted") == told.count("scripted/m")

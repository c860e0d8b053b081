"""A session whose directory is removed or replaced: nothing more is sent there, and its reports say so."""

from collections.abc import AsyncGenerator
from pathlib import Path
from shutil import rmtree

import anyio
import pytest

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]
GONE = "does not exist any more"


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A project that the test removes."""
    return make_project(tmp_path / "lost")


@pytest.fixture
async def host(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, workplace: Path, lost: Path
) -> AsyncGenerator[Host]:
    (tmp_path / "bridge").mkdir()
    launch = attaching(tmp_path / "bridge", scripted_model, opencode_server, workplace)
    more = ("--directory", str(lost), "--allow", "session.shell")
    async with open_bridge(launch.with_flags(*more)) as bridge:
        yield Host(bridge)


def replace_by_file(directory: Path) -> None:
    rmtree(directory)
    directory.write_text("A file has its place.", encoding="utf-8")


async def test_nothing_is_sent_to_a_session_whose_directory_is_gone(host: Host, lost: Path) -> None:
    session_id = (await host.run(text("Done."), directory=str(lost)))["session_id"]
    replace_by_file(lost)
    for tool, arguments in (
        ("opencode_run", {"prompt": "Go on."}),
        ("opencode_command", {"command": "init"}),
        ("opencode_shell", {"command": "echo lost"}),
    ):
        error = await host.error(tool, session_id=session_id, **arguments)
        assert f"The session works in '{lost}', which {GONE} or is no directory." in error
        assert "start a new session" in error
    await anyio.Path(lost).unlink()
    report = await host.wait(session_id)
    assert report["status"] == "completed"
    assert f"Its directory {lost} {GONE}." in report["note"]
    assert "Go on." not in await host.text("opencode_session", session_id=session_id)

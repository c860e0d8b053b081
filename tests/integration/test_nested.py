"""A bridge inside an OpenCode that a bridge started works only where it is allowed, and in that OpenCode."""

from pathlib import Path

import anyio
import pytest

from tests.harness.bridge import open_bridge
from tests.harness.launch import COMMAND, Launch, left_server
from tests.harness.project import configure
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import script, text, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 180


async def test_a_nested_bridge_works_in_the_same_opencode_and_does_not_keep_it_alive(
    own_launch: Launch, project: Path
) -> None:
    bridge = [str(COMMAND), "--directory", str(project)]
    servers = {
        "flat": {"type": "local", "command": bridge},
        "deep": {"type": "local", "command": [*bridge, "--max-depth", "2"]},
    }
    configure(project, {"mcp": servers})
    with anyio.fail_after(SECONDS):
        async with open_bridge(own_launch) as opened:
            host = Host(opened)
            report = await host.run(
                tool("flat_opencode_run", prompt=script(text("Not to be said."))),
                tool("deep_opencode_run", prompt=script(text("Said below."))),
                text("Done."),
                wait_seconds=60,
            )
            assert report["status"] == "completed", report
            told = await host.text("opencode_session", session_id=report["session_id"], show="everything")
            sessions = (await host.data("opencode_list_sessions"))["sessions"]
    assert "add `--max-depth 2` to" in told
    assert "Said below." in told
    assert len(sessions) == 2, "the outer run's, and the one of the deep bridge"
    state = Path(own_launch.environment["OPENCODE_MCP_STATE"])
    assert len(list((state / "servers").iterdir())) == 1

    async def is_gone() -> bool:
        return left_server(own_launch) is None

    await eventually(is_gone)

"""A bridge inside an OpenCode that a bridge started works only where it is allowed, and in that OpenCode."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import COMMAND, Launch, end_left_server, left_server, starting
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.processes.isolation import without_snapshots
from tests.harness.project import configure
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import script, text, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 300


@pytest.fixture
def own_launch(
    tmp_path: Path, scripted_model: ScriptedModel, project: Path, opencode_generation: Generation
) -> Iterator[Launch]:
    """A bridge that starts an OpenCode of the test's generation by itself."""
    if opencode_generation == 2:
        skip_without_engine()
    launch = starting(tmp_path, scripted_model, project, opencode_generation)
    if opencode_generation == 1:
        without_snapshots(launch.environment)
    yield launch
    end_left_server(launch)


def settings(generation: Generation, servers: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
    """The settings of a project with MCP servers whose tools are called one by one."""
    if generation == 1:
        return {"mcp": servers}
    return {"mcp": {"servers": {name: {**server, "codemode": False} for name, server in servers.items()}}}


async def connected(host: Host, generation: Generation) -> None:
    """Wait until the MCP servers of the project are connected, which OpenCode 2 does not do before a run."""

    async def look() -> bool:
        reply = await host.data("opencode_read_operation", operation="mcp.list")
        listed = reply["reply"]["data"]
        return bool(listed) and all(server["status"]["status"] == "connected" for server in listed)

    if generation == 2:
        await eventually(look, seconds=60)


@pytest.mark.both_generations
async def test_a_nested_bridge_works_in_the_same_opencode_and_does_not_keep_it_alive(
    own_launch: Launch, project: Path, opencode_generation: Generation
) -> None:
    bridge = [str(COMMAND), "--directory", str(project)]
    servers = {
        "flat": {"type": "local", "command": bridge},
        "deep": {"type": "local", "command": [*bridge, "--max-depth", "2"]},
    }
    configure(project, settings(opencode_generation, servers))
    with anyio.fail_after(SECONDS):
        async with open_bridge(own_launch) as opened:
            host = Host(opened)
            await connected(host, opencode_generation)
            report = await host.run(
                tool("flat_opencode_run", prompt=script(text("Not to be said."))),
                tool("deep_opencode_run", prompt=script(text("Said below."))),
                text("Done."),
                wait_seconds=240,
            )
            assert report["status"] == "completed", report
            output = await host.text("opencode_session", session_id=report["session_id"], show="everything")
            sessions = (await host.data("opencode_list_sessions"))["sessions"]
    assert "add `--max-depth 2` to" in output
    assert "Said below." in output
    assert len(sessions) == 2, "the outer run's, and the one of the deep bridge"
    state = Path(own_launch.environment["OPENCODE_MCP_STATE"])
    assert len(list((state / "servers").iterdir())) == 1

    async def is_gone() -> bool:
        return left_server(own_launch) is None

    await eventually(is_gone)

"""A refusal names the whole change of the settings that allows the call; the minimal toolset is enough."""

import re
import shlex
from pathlib import Path

import pytest
from mcp_types import Implementation

from opencode_mcp.server.access.operations_of_tools import MINIMAL_TOOLS
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.integration.host import Host
from tests.scripted_model.script import hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

CODEX = Implementation(name="codex-mcp-client", version="0.169.0")
CHANGE = re.compile(
    r"add `([^`]+)`(?: \(or `[^`]+`, which allows [^)]+\))? "
    r"to `args` of this MCP server in ~/\.codex/config\.toml, then restart Codex"
)


def flags_in(output: str) -> list[str]:
    """Return the flags that the person should add, according to a refusal."""
    found = CHANGE.search(output)
    assert found, output
    return shlex.split(found[1])


async def test_a_terminal_works_after_the_change_that_its_refusal_names(launch: Launch) -> None:
    opened = {"operation": "pty.create", "arguments": {"command": "/bin/sh"}}
    async with open_bridge(launch, host=CODEX) as bridge:
        error = await Host(bridge).error("opencode_call_operation", **opened)
    assert "runs every command with the user's rights" in error
    assert "never change those settings yourself" in error
    async with open_bridge(launch.with_flags(*flags_in(error)), host=CODEX) as bridge:
        host = Host(bridge)
        named = {"ptyID": (await host.data("opencode_call_operation", **opened))["reply"]["id"]}
        typed = {**named, "input": "echo $((6*7))\r", "wait_for": "42"}
        printed = await host.data("opencode_call_operation", operation="pty.connect", arguments=typed)
        assert printed["reply"]["found"]
        sized = {**named, "size": {"rows": 30, "cols": 90}}
        await host.data("opencode_call_operation", operation="pty.update", arguments=sized)
        await host.data("opencode_call_operation", operation="pty.remove", arguments=named)


async def test_a_directory_can_be_used_after_the_change_that_its_refusal_names(
    launch: Launch, tmp_path: Path, project: Path
) -> None:
    other = make_project(tmp_path / "an other")
    async with open_bridge(launch, host=CODEX) as bridge:
        host = Host(bridge)
        error = await host.error("opencode_run", prompt="Hello", directory=str(other))
        below = await host.error("opencode_run", prompt="Hello", directory=str(project / "src"))
    assert f"Allowed: {project}." in error
    assert "external_directory" in error
    for refused, directory in ((error, other), (below, project / "src")):
        assert flags_in(refused) == ["--directory", str(directory)]
        assert "The person must trust the directory" in refused
    async with open_bridge(launch.with_flags(*flags_in(error)), host=CODEX) as bridge:
        status = await Host(bridge).data("opencode_status", directory=str(other))
    assert status


@pytest.mark.both_generations
async def test_the_minimal_toolset_is_enough_to_delegate_wait_stop_and_reach_the_rest(
    launch: Launch, scripted_model: ScriptedModel, opencode_generation: int
) -> None:
    async with open_bridge(launch.with_flags("--toolsets", "minimal")) as bridge:
        host = Host(bridge)
        assert {tool.name for tool in (await bridge.client.list_tools()).tools} == MINIMAL_TOOLS
        done = await host.run(text("Answered."))
        assert (done["status"], done["text"]) == ("completed", "Answered.")
        named = {"sessionID": done["session_id"]}
        renamed = {**named, "title": "Renamed"}
        await host.data("opencode_call_operation", operation="session.update", arguments=renamed)
        assert (await host.data("opencode_session", session_id=done["session_id"]))["title"] == "Renamed"
        held = await host.run(step(hold("minimal"), text("Never.")), wait_seconds=0)
        await scripted_model.reached("minimal")
        assert "opencode_wait" in held["next"]
        assert "opencode_abort" not in held["next"]
        stop = "session.abort" if opencode_generation == 1 else "session.interrupt"
        named = {"sessionID": held["session_id"]}
        await host.data("opencode_call_operation", operation=stop, arguments=named)
        assert (await host.wait(held["session_id"]))["status"] == "aborted"

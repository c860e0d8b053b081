"""Real processes: a bridge whose import of the SDK is held up answers its first requests, and goes on with the SDK."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.harness.bridges.bridge import Era, open_bridge
from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import Host, open_raw, raw_process
from tests.harness.processes.isolation import NOWHERE, ROOT, environment
from tests.server.stdio.front.early import LEGACY, MODERN, SECONDS

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for its pipes: the SDK answers"),
]

GATED = Path(__file__).with_name("gated_bridge.py")


@dataclass(frozen=True, slots=True)
class GatedLaunch(Launch):
    """A bridge whose import waits at a gate."""

    gate: Path = Path()

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        return [sys.executable, str(GATED), str(self.gate)]

    def open_gate(self) -> None:
        """Let the import begin, whose thread waits for it by now or soon."""
        os.close(os.open(self.gate, os.O_WRONLY))


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A bridge that saves the first responses."""
    variables = {"OPENCODE_MCP_STATE": str(tmp_path / "bridge")}
    return Launch((), environment(tmp_path, NOWHERE) | variables, tmp_path / "bridge.log")


@pytest.fixture
def gated(launch: Launch, tmp_path: Path) -> GatedLaunch:
    """The bridge behind a gate, with the same state folder."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    return GatedLaunch(launch.arguments, {**launch.environment, "PYTHONPATH": str(ROOT)}, launch.log, gate=gate)


def saved(launch: Launch) -> list[Path]:
    return sorted(Path(launch.environment["OPENCODE_MCP_STATE"]).glob("responses/*"))


async def tools_of(launch: Launch, host: Host) -> object:
    async with open_raw(launch, host) as client:
        tools = (await client.request("tools/list"))["result"]
        # A response is saved when it is sent; a later one shows that this is done.
        await client.request("prompts/list")
        return tools


@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_the_first_start_saves_and_the_next_one_answers_before_the_import(
    protocol: str, launch: Launch, gated: GatedLaunch
) -> None:
    host = Host(protocol)
    expected = await tools_of(launch, host)
    assert len(saved(launch)) == 2
    async with open_raw(gated, host) as client:
        assert (await client.request("tools/list"))["result"] == expected
        later = await client.send("prompts/list")
        again = await client.send("tools/list")
        assert not client.replied(later)
        gated.open_gate()
        assert (await client.reply(later))["result"]["prompts"]
        assert (await client.reply(again))["result"] == expected
        found = await client.call("opencode_find_operations", query="session")
        assert found["structuredContent"]["operations"]
        await client.close_input()
        assert await client.exit_code() == 0
        assert sorted(reply["id"] for reply in client.replies) == list(range(1, len(client.replies) + 1))
    assert gated.printed() == "imported\n"


@pytest.mark.both_eras
async def test_a_client_of_the_sdk_has_the_tools_before_the_import(
    era: Era, launch: Launch, gated: GatedLaunch
) -> None:
    async with open_bridge(launch, era=era) as bridge:
        expected = await bridge.client.list_tools()
    async with open_bridge(gated, era=era) as bridge:
        assert await bridge.client.list_tools() == expected
        assert bridge.client.instructions
        gated.open_gate()
        assert not (await bridge.call("opencode_find_operations", query="session")).is_error
    assert "WARNING" not in gated.printed()


async def test_a_host_that_closes_stdin_before_the_import_ends_the_bridge(gated: GatedLaunch) -> None:
    async with raw_process(gated) as client:
        await client.close_input()
        gated.open_gate()
        assert await client.exit_code() == 0
        assert client.replies == []


async def test_a_signal_before_the_import_ends_the_bridge(launch: Launch, gated: GatedLaunch) -> None:
    await tools_of(launch, Host())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        async with open_raw(gated) as client:
            client.process.send_signal(number)
            assert await client.exit_code() == 0
    assert gated.printed() == ""


async def test_two_bridges_that_start_at_once_share_their_responses(launch: Launch, gated: GatedLaunch) -> None:
    installed = launch.as_installed()
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(tools_of, installed, Host())
    assert len(saved(launch)) == 2
    async with open_raw(gated) as client:
        assert (await client.request("tools/list"))["result"]["tools"]
        gated.open_gate()


async def test_an_import_that_fails_ends_the_bridge(launch: Launch, gated: GatedLaunch, tmp_path: Path) -> None:
    (tmp_path / "mcp_types.py").write_text("raise ImportError('broken')")
    broken = gated.within(PYTHONPATH=os.pathsep.join((str(tmp_path), str(ROOT))))
    async with raw_process(broken) as client:
        gated.open_gate()
        assert await client.exit_code() == 1
    assert "broken" in launch.printed()


LIGHT = """
import sys
from opencode_mcp.cli import main
from opencode_mcp.server.stdio.front.front import serve_early
from tests.harness.processes.executed import is_executed
print(sorted(filter(is_executed, sys.modules)))
"""


def test_the_front_imports_nothing_that_takes_long() -> None:
    done = subprocess.run(  # noqa: S603 - the test's own command
        [sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=SECONDS
    )
    assert "opencode_mcp.server.stdio.front.front" in done.stdout
    for name in ("mcp", "mcp_types", "pydantic", "anyio", "asyncio", "httpx", "filelock", "logging", "argparse"):
        assert f"'{name}'" not in done.stdout, name

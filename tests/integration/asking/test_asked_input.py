"""The text of a permission request shows what the call would do: its input, and what "always" would cover."""

import sys
from pathlib import Path

import pytest

from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.scripted_model.script import Action, script, task, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MINI = {"type": "local", "command": [sys.executable, str(Path(__file__).with_name("mini_mcp.py"))], "enabled": True}
LONG = "DROP TABLE customers; " * 1000


@pytest.fixture(scope="module")
def asking_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project where OpenCode asks before it calls a tool of an MCP server, or starts a subagent."""
    directory = make_project(tmp_path_factory.mktemp("tools") / "project")
    configure(directory, {"permission": {"mini_*": "ask", "task": "ask"}, "mcp": {"mini": MINI}})
    return directory


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_tools: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_tools)


@pytest.mark.parametrize(
    ("call", "shown", "covered"),
    [
        (
            tool("mini_drop_table", table="customers", sql=LONG, options={"cascade": True}),
            [
                "table: customers",
                "sql: DROP TABLE customers;",
                f"({len(LONG.strip())} characters)",
                '{"cascade": true}',
            ],
            "every call of mini_drop_table, whatever its input",
        ),
        (task("Delete all the logs."), ["prompt: Delete all the logs."], "every call of task, whatever its input"),
    ],
    ids=["MCP tool", "subagent"],
)
async def test_a_permission_shows_the_input_of_the_call_and_what_always_covers(
    launch: Launch, call: Action, shown: list[str], covered: str
) -> None:
    async with open_raw(launch) as client:
        result = await client.call("opencode_run", prompt=script(call), wait_seconds=30)
        report = result["structuredContent"]
        await client.call("opencode_abort", session_id=report["session_id"])
    assert report["status"] == "needs_input", report
    (request,) = report["pending"]
    for text in shown:
        assert text in request["asks"]
    assert len(request["asks"]) < len(LONG) / 5
    assert f'"always" would also allow {covered}, in every session' in result["content"][0]["text"]

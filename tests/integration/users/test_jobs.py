"""Seventeen jobs that people give an assistant, each done over stdio in the fewest calls.

A test fails if a job needs another call, or if a result does not say what the job is about.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp_types import CallToolResult

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Bridge
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host, changes
from tests.integration.runs.test_commands import add_command
from tests.scripted_model.script import bash, hold, question, step, structured, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

MCP_NAMES: Mapping[Generation, str] = {1: "name", 2: "server"}
"""Argument of ``mcp.add`` with the name of the server."""

SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}


@dataclass(slots=True)
class CountingBridge(Bridge):
    """Connected bridge that counts the calls of tools."""

    calls: int = 0

    async def call(self, tool: str, /, **arguments: object) -> CallToolResult:
        """Call a tool, and count it."""
        self.calls += 1
        return await Bridge.call(self, tool, **arguments)

    @contextmanager
    def exactly(self, calls: int) -> Generator[None]:
        """Expect a number of calls in the block."""
        before = self.calls
        yield
        assert self.calls - before == calls


@pytest.fixture
def counting(shared_bridge: Bridge) -> CountingBridge:
    return CountingBridge(shared_bridge.client, shared_bridge.launch)


@pytest.fixture
def host(counting: CountingBridge) -> Host:
    return Host(counting)


async def test_1_models_and_agents(host: Host, counting: CountingBridge) -> None:
    with counting.exactly(1):
        output = await host.text("opencode_status")
    assert "scripted/m1: $1 in, $2 out per million tokens" in output
    assert "build (primary)" in output


async def test_2_a_run_that_asks_and_changes_a_file(
    host: Host, counting: CountingBridge, tracked: Path, case: str
) -> None:
    name = f"asked-{case}.txt"
    with counting.exactly(3):
        asked = await host.run(
            question("Which colour?", "Red", "Blue"), write(name, "red\n"), text("Red it is."), directory=str(tracked)
        )
        (request,) = asked["pending"]
        report = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[["Red"]])
        diff = await host.text("opencode_diff", session_id=report["session_id"])
    assert (report["status"], report["text"]) == ("completed", "Red it is.")
    assert [path for _, path, _, _ in changes(report)] == [name]
    assert report["cost"] > 0
    assert report["seconds"] > 0
    assert "+red" in diff


async def test_3_three_at_once_each_reported_when_it_is_ready(
    host: Host, counting: CountingBridge, scripted_model: ScriptedModel, case: str
) -> None:
    gates = [f"job 3 {case} {number}" for number in range(3)]
    with counting.exactly(6):
        left = [await host.start(step(hold(gate), text(gate))) for gate in gates]
        for gate in gates:
            await scripted_model.release(gate)
            seen = await host.data("opencode_wait", session_ids=left, until="any")
            reports = seen["runs"] if len(left) > 1 else [seen]
            (ready,) = [report for report in reports if report["status"] == "completed"]
            assert ready["text"] == gate
            left.remove(ready["session_id"])


async def test_4_undo_and_proof(host: Host, counting: CountingBridge, tracked: Path, case: str) -> None:
    name = f"undone-{case}.txt"
    report = await host.run(write(name, "wrong\n"), text("Done."), directory=str(tracked))
    with counting.exactly(2):
        output = await host.text("opencode_revert", session_id=report["session_id"], message_id=report["message_id"])
        gone = await host.error("opencode_read_file", path=name, directory=str(tracked))
    assert name in output
    assert "before that prompt" in output
    assert name in gone


async def test_5_rename(host: Host, counting: CountingBridge, case: str) -> None:
    session_id = (await host.run(text("Said.")))["session_id"]
    with counting.exactly(1):
        output = await host.text("opencode_update_session", session_id=session_id, title=f"Renamed {case}")
    assert f"Renamed {case}" in output


async def test_6_text_definition_uses_and_lines(host: Host, counting: CountingBridge) -> None:
    with counting.exactly(3):
        found = await host.text("opencode_find_text", pattern="Greet somebody")
        symbols = await host.text("opencode_find_symbols", query="greet", references=True)
        lines = await host.text("opencode_read_file", path="src/greet.py", first=1, lines=2)
    assert "src/greet.py" in found
    assert "def greet" in symbols
    assert "Greet somebody" in lines
    assert "Hello" not in lines


async def test_7_what_it_does_stop_and_something_else(
    host: Host, counting: CountingBridge, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"job 7 {case}"
    session_id = await host.start(step(text("Thinking it over"), hold(gate)))
    await scripted_model.reached(gate)
    with counting.exactly(3):
        output = await host.text("opencode_wait", session_id=session_id, wait_seconds=0)
        stopped = await host.data("opencode_abort", session_id=session_id)
        report = await host.run(text("Something else."), session_id=session_id)
    assert "Doing: " in output
    assert stopped["status"] == "aborted"
    assert (report["status"], report["text"]) == ("completed", "Something else.")


async def test_8_an_answer_as_json(host: Host, counting: CountingBridge, opencode_generation: Generation) -> None:
    answer = structured({"answer": 42}) if opencode_generation == 1 else text('{"answer": 42}')
    with counting.exactly(1):
        report = await host.run(answer, output_schema=SCHEMA)
    assert (report["status"], report["output"]) == ("completed", {"answer": 42})


async def test_9_a_broken_model(host: Host, counting: CountingBridge) -> None:
    with counting.exactly(1):
        error = await host.error("opencode_run", prompt="Say hello", model="scripted/no-such")
    assert "scripted/m1" in error


async def test_10_a_terminal_is_refused_with_all_that_it_needs(host: Host, counting: CountingBridge) -> None:
    with counting.exactly(2):
        found = await host.text("opencode_find_operations", query="open a terminal")
        error = await host.error("opencode_call_operation", operation="pty.create", arguments={"command": "/bin/sh"})
    assert "pty.create" in found
    assert "--allow" in error
    assert "pty.connect" in error


async def test_11_a_directory_outside(host: Host, counting: CountingBridge, tmp_path: Path) -> None:
    with counting.exactly(1):
        error = await host.error("opencode_run", prompt="Look", directory=str(tmp_path))
    assert f"--directory {tmp_path}" in error


async def test_12_the_conversation_and_the_tool_calls_alone(host: Host, counting: CountingBridge, case: str) -> None:
    report = await host.run(write(f"seen-{case}.txt", "x\n"), text("Written down."))
    with counting.exactly(2):
        spoken = await host.text("opencode_session", session_id=report["session_id"], show="conversation")
        calls = await host.text("opencode_session", session_id=report["session_id"], show="tools")
    assert "Written down." in spoken
    assert "write(" not in spoken
    assert "write(" in calls
    assert "Written down." not in calls


async def test_13_the_cost_of_the_day(host: Host, counting: CountingBridge) -> None:
    await host.run(text("It costs something."))
    with counting.exactly(1):
        output = await host.text("opencode_cost")
    assert "By model:" in output
    assert "scripted/m1" in output


async def test_14_an_mcp_server_is_added_by_the_person_who_configures_this_one(
    host: Host, counting: CountingBridge, opencode_generation: Generation
) -> None:
    with counting.exactly(2):
        found = await host.text("opencode_find_operations", query="add an MCP server")
        error = await host.error(
            "opencode_call_operation",
            operation="mcp.add",
            arguments={MCP_NAMES[opencode_generation]: "other", "config": {"type": "local", "command": ["other"]}},
        )
    assert found.startswith("mcp.add (admin, not allowed here): ")
    assert "--allow session.shell,mcp.add,mcp.connect,mcp.disconnect" in error
    server = '{"other": {"type": "local", "command": ["other"]}}'
    entry = f'{{"mcp": {server}}}' if opencode_generation == 1 else f'{{"mcp": {{"servers": {server}}}}}'
    assert f"put into the opencode.json of the project {entry}, " in error


async def test_15_fork_and_compare(host: Host, counting: CountingBridge, tracked: Path, case: str) -> None:
    first = await host.run(write(f"one-{case}.txt", "one\n"), text("One."), directory=str(tracked))
    with counting.exactly(3):
        fork = await host.data("opencode_fork", session_id=first["session_id"])
        await host.run(write(f"two-{case}.txt", "two\n"), text("Two."), session_id=fork["session_id"])
        output = await host.text("opencode_diff", session_id=first["session_id"], compare_with=fork["session_id"])
    assert f"one-{case}.txt" in output
    assert f"two-{case}.txt" in output


async def test_16_commands(
    host: Host, counting: CountingBridge, opencode_server: OpenCode, workplace: Path, case: str
) -> None:
    add_command(workplace, "job16", bash("echo job"), text("By the command."))
    opencode_server.unload(workplace)
    with counting.exactly(2):
        listed = await host.text("opencode_status", show="commands")
        report = await host.data("opencode_command", command="job16")
    assert "commands" in listed
    assert (report["status"], report["text"]) == ("completed", "By the command."), case


async def test_17_work_in_a_worktree(host: Host, counting: CountingBridge, workplace: Path, case: str) -> None:
    name = f"worktree-{case}.txt"
    with counting.exactly(4):
        report = await host.run(write(name, "apart\n"), text("Done."), isolate=True)
        assert not (workplace / name).exists()
        await host.data("opencode_integrate", session_id=report["session_id"], how="apply")
        assert (workplace / name).read_text(encoding="utf-8") == "apart\n"
        await host.data("opencode_integrate", session_id=report["session_id"], how="undo")
        await host.data("opencode_integrate", session_id=report["session_id"], how="discard")
    assert not (workplace / name).exists()

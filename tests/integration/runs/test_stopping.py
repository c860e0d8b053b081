"""Stopping a run stops its whole tree of subagents, whichever way it is stopped, and nothing begins afterwards."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import Action, bash, hold, question, script, step, task

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Json = dict[str, Any]
CLAUDE = Host(protocol="2026-07-28", name="claude-code")
ASKABLE = Host(protocol="2025-11-25", name="claude-code", capabilities={"elicitation": {}})
TASKS = Host(protocol="2026-07-28", capabilities={"extensions": {"io.modelcontextprotocol/tasks": {}}})
NESTED = {
    "subagent_depth": 5,
    "permission": {"task": "allow", "bash": {"*": "allow", "echo leaf*": "ask"}},
    "agent": {
        "deep": {"mode": "subagent", "description": "Goes deeper", "permission": {"task": "allow", "question": "allow"}}
    },
}
PERMISSION = bash("echo leaf")
QUESTION = question("Which?", "Red", "Blue")


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose subagents may have subagents, and where the deepest asks before it acts."""
    directory = make_project(tmp_path_factory.mktemp("nested") / "project")
    configure(directory, NESTED)
    return directory


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, nested: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, nested)


@pytest.fixture
async def opencode(opencode_server: OpenCode, nested: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, nested)
    async with seen.http:
        yield seen


def nest(leaf: Action, depth: int) -> str:
    """A prompt whose subagent at a depth does what is given; each session above runs a command afterwards."""
    prompt = script(leaf)
    for level in range(depth, 0, -1):
        prompt = script(task(prompt, agent="deep"), bash(f"echo late {level}"))
    return prompt


async def tree(opencode: Backend, session_id: str) -> list[str]:
    """A session and all below it."""
    found = [session_id]
    for child in await opencode.children(session_id):
        found += await tree(opencode, child)
    return found


async def calls(opencode: Backend, session_id: str) -> list[str]:
    """The commands that any session of a tree began."""
    return [command for member in await tree(opencode, session_id) for command in await opencode.commands(member)]


async def check_stopped(opencode: Backend, session_id: str) -> None:
    """Wait until a tree is idle; no session of it may have gone on to its next command."""
    for member in await tree(opencode, session_id):
        await opencode.idle(member)
    assert not [command for command in await calls(opencode, session_id) if "late" in command]


async def waiting(client: RawClient, prompt: str) -> str:
    """Start a run and wait until it asks something; give its session."""
    report = (await client.call("opencode_run", prompt=prompt, wait_seconds=30))["structuredContent"]
    assert report["status"] == "needs_input", report
    return report["session_id"]


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("leaf", [PERMISSION, QUESTION], ids=["permission", "question"])
async def test_nothing_runs_after_a_stop_whatever_the_deepest_subagent_waits_for(
    launch: Launch, opencode: Backend, leaf: Action, depth: int
) -> None:
    async with open_raw(launch, CLAUDE) as client:
        session_id = await waiting(client, nest(leaf, depth))
        assert len(await tree(opencode, session_id)) == depth + 1
        report = (await client.call("opencode_abort", session_id=session_id))["structuredContent"]
    assert (report["status"], report.get("note", "")) == ("aborted", "")
    await check_stopped(opencode, session_id)


@pytest.mark.both_generations
async def test_a_subagent_that_asks_is_stopped_with_its_run(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, CLAUDE) as client:
        session_id = await waiting(client, nest(PERMISSION, 1))
        assert len(await tree(opencode, session_id)) == 2
        report = (await client.call("opencode_abort", session_id=session_id))["structuredContent"]
    assert (report["status"], report.get("note", "")) == ("aborted", "")
    await check_stopped(opencode, session_id)


async def test_subagents_side_by_side_stop_together(launch: Launch, opencode: Backend) -> None:
    both = step(task(nest(PERMISSION, 1), agent="deep"), task(script(bash("sleep 30")), agent="deep"))
    async with open_raw(launch, CLAUDE) as client:
        session_id = await waiting(client, script(both, bash("echo late")))
        report = (await client.call("opencode_abort", session_id=session_id))["structuredContent"]
    assert report["status"] == "aborted"
    await check_stopped(opencode, session_id)


async def test_a_session_that_is_deleted_while_it_works_works_no_more(
    launch: Launch, opencode: Backend, scripted_model: ScriptedModel, nested: Path
) -> None:
    busy = script(step(hold("deleted"), bash("touch after-deletion.txt")))
    async with open_raw(launch, CLAUDE) as client:
        run = await client.call("opencode_run", prompt=script(task(busy, agent="deep")), wait_seconds=0)
        session_id = run["structuredContent"]["session_id"]
        await scripted_model.reached("deleted")
        members = await tree(opencode, session_id)
        call = {"operation": "session.delete", "arguments": {"sessionID": session_id}}
        async with open_raw(launch.with_flags("--deny", "session.abort"), CLAUDE) as denied:
            refused = await denied.call("opencode_call_operation", **call)
            assert "session.abort is not allowed" in refused["content"][0]["text"]
        deleted = await client.call("opencode_call_operation", **call)
        assert not deleted.get("isError"), deleted
    assert not set(members) & await opencode.busy()
    await scripted_model.release("deleted")
    probe = await opencode.create_session()
    await opencode.prompt(probe, script(bash("true")))
    await opencode.idle(probe)
    assert not (nested / "after-deletion.txt").exists()


async def test_an_operation_that_aborts_stops_the_subagents_too(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, CLAUDE) as client:
        session_id = await waiting(client, nest(PERMISSION, 2))
        abort = {"operation": "session.abort", "arguments": {"sessionID": session_id}}
        assert (await client.call("opencode_call_operation", **abort))["structuredContent"]["reply"] is True
        await check_stopped(opencode, session_id)


async def topmost_asking(opencode: Backend) -> str:
    """The session whose subagent asks."""

    async def look() -> str:
        busy = await opencode.busy()
        return next((item.session_id for item in await opencode.requests() if item.session_id in busy), "")

    return await topmost_of(opencode, await eventually(look))


async def topmost_of(opencode: Backend, session_id: str) -> str:
    """The session at the top of a tree."""
    while parent := (await opencode.session(session_id)).get("parentID"):
        session_id = parent
    return session_id


async def test_a_cancelled_call_that_stops_its_run_stops_the_subagents_too(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch.with_flags("--abort-on-cancel"), ASKABLE) as client:
        call = {"name": "opencode_run", "arguments": {"prompt": nest(PERMISSION, 2)}}
        number = await client.send("tools/call", call)
        await client.message("elicitation/create")
        session_id = await topmost_asking(opencode)
        await client.cancel(number, "the user pressed Esc")
        await check_stopped(opencode, session_id)


async def test_a_cancelled_task_stops_the_subagents_too(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, TASKS) as client:
        call = {"name": "opencode_run", "arguments": {"prompt": nest(bash("sleep 60"), 2)}}
        offered = (await client.request("tools/call", call))["result"]
        assert offered["resultType"] == "task", offered

        async def deepest_works() -> bool:
            return len(await opencode.busy()) == 3

        await eventually(deepest_works)
        session_id = await topmost_of(opencode, next(iter(await opencode.busy())))
        await client.request("tasks/cancel", {"taskId": offered["taskId"]})
        await check_stopped(opencode, session_id)

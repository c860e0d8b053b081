"""Limits of a run: it is stopped within a step of exceeding one, keeps its work, and reports why."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.differences import tool_name
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import bash, hold, script, step, task, text, usage

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


def reason(limit: int, line: str, generation: Generation) -> str:
    """The sentences on a limit of steps, and on the shell line that was called last."""
    steps = "step" if limit == 1 else "steps"
    return (
        f"The run was stopped in step {limit + 1}, whose calls may have ended: the limit is {limit} {steps}. "
        f"Its last call: {tool_name('bash', generation)}: {line} (completed)."
    )


async def test_a_run_is_stopped_when_it_begins_a_step_beyond_its_limit(
    host: Host, workplace: Path, case: str, opencode_generation: Generation
) -> None:
    made = [workplace / f"step {number} {case}" for number in range(3)]
    first, second, third = (bash(f"touch '{path}'") for path in made)
    never = step(text("Go on."), hold(f"never released {case}"), third)
    report = await host.run(first, second, never, directory=str(workplace), max_steps=2)
    assert report["status"] == "aborted"
    assert report["shortfall"] == reason(2, f"touch '{made[1].name}'", opencode_generation)
    assert [path.exists() for path in made] == [True, True, False]
    assert "Each prompt has its own limits." in report["next"]


async def test_the_cost_of_subagents_counts_and_a_run_that_ends_with_its_last_step_is_complete(
    host: Host, workplace: Path, case: str
) -> None:
    child = script(step(text("By the child."), usage(input=30_000, output=5)))
    never = step(text("Go on."), hold(f"too dear {case}"))
    report = await host.run(task(child), never, directory=str(workplace), max_cost=0.02)
    assert report["status"] == "aborted"
    assert report["shortfall"].startswith("The run was stopped for its cost: the limit is 0.02 USD. Its last call: ")
    assert report["cost"] >= 0.03
    dear = step(text("Done."), usage(input=90_000, output=5))
    report = await host.run(dear, session_id=report["session_id"], max_cost=0.02, max_steps=1)
    assert (report["status"], report["text"]) == ("completed", "Done.")
    assert report["note"].startswith("The run ended before it could be stopped at its limit: it cost 0.")
    assert report["note"].endswith("and the limit is 0.02 USD.")


async def test_a_run_is_stopped_after_its_minutes_of_work(host: Host, workplace: Path, case: str) -> None:
    never = step(text("Go on."), hold(f"too long {case}"))
    report = await host.run(never, directory=str(workplace), max_minutes=0.05)
    session_id = report["session_id"]
    assert report["status"] == "aborted"
    assert report["shortfall"].endswith("working time: the limit is 0.05 min.")
    reason = "The run was stopped for its working time: the limit is 0.05 min."
    seen = await host.data("opencode_session", session_id=session_id, limit=0)
    assert (seen["last_run"]["outcome"], seen["last_run"]["reason"]) == ("aborted", reason)
    assert reason in await host.text("opencode_session", session_id=session_id, limit=0)


async def test_limits_hold_when_another_bridge_follows_the_run(
    launch: Launch, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    never = step(text("Go on."), hold("after the other bridge"))
    prompt = script(step(text("Begin."), hold("between bridges"), bash("true")), never)
    async with open_raw(launch) as one:
        started = await one.call("opencode_run", prompt=prompt, max_steps=1, wait_seconds=0)
        session_id = started["structuredContent"]["session_id"]
        await scripted_model.reached("between bridges")
    async with open_raw(launch) as other, open_raw(launch) as third:
        await other.call("opencode_wait", session_id=session_id, wait_seconds=0)
        await scripted_model.release("between bridges")
        report = (await other.call("opencode_wait", session_id=session_id))["structuredContent"]
        assert (report["status"], report["shortfall"]) == ("aborted", reason(1, "true", opencode_generation))

        async def noted() -> bool:
            seen = (await third.call("opencode_wait", session_id=session_id, wait_seconds=0))["structuredContent"]
            assert seen["status"] == "aborted"
            return seen.get("shortfall") == reason(1, "true", opencode_generation)

        await eventually(noted)


async def test_a_caller_cannot_exceed_the_operators_cap(launch: Launch, opencode_generation: Generation) -> None:
    async with open_raw(launch.with_flags("--max-steps", "1")) as client:
        for tool, task_ in (("opencode_run", {"prompt": "Work."}), ("opencode_command", {"command": "review"})):
            refused = await client.call(tool, **task_, max_steps=2)
            error = refused["content"][0]["text"]
            assert refused["isError"]
            assert "max_steps=2 is more than 1, the most that is allowed here. Nothing was started." in error
            assert "add `--max-steps 2` to" in error
        never = step(text("Go on."), hold("beyond the cap"))
        report = (await client.call("opencode_run", prompt=script(bash("true"), never)))["structuredContent"]
    assert (report["status"], report["shortfall"]) == ("aborted", reason(1, "true", opencode_generation))


async def test_limits_are_refused_where_the_settings_deny_the_stop_of_a_run(launch: Launch) -> None:
    async with open_raw(launch.with_flags("--deny", "session.abort", "--deny", "session.interrupt")) as client:
        refused = await client.call("opencode_run", prompt="Work.", max_minutes=2)
    assert refused["isError"]
    assert "this MCP server may not stop runs" in refused["content"][0]["text"]
    assert "Leave max_cost, max_minutes and max_steps out." in refused["content"][0]["text"]

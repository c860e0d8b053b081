"""Cost of the work, over stdio."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.model import ScriptedModel
from tests.integration.host import Host, Json
from tests.integration.test_session_overview import about
from tests.scripted_model.script import hold, script, step, task, text, usage

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def cost_of(host: Host, directory: Path) -> Json:
    return await host.data("opencode_cost", directory=str(directory))


def spent_by(report: Json, table: str, key: str) -> float:
    name = table.removeprefix("by_")
    return sum(float(row["cost"]) for row in report[table] if row[name] == key)


async def test_the_cost_of_the_day_counts_forks_and_subagents_once(
    host: Host, workplace: Path, case: str, opencode_generation: Generation
) -> None:
    before = await cost_of(host, workplace)
    report = await host.run(
        step(task(script(step(text("By the child."), usage(input=30_000, output=5)))), usage(input=1000, output=1)),
        step(text("Done."), usage(input=2000, output=1)),
        directory=str(workplace),
        title=f"Costs {case}",
    )
    fork = await host.data("opencode_fork", session_id=report["session_id"])
    await host.run(step(text("In the fork."), usage(input=500, output=0)), session_id=fork["session_id"])
    after = await cost_of(host, workplace)
    assert about(after["cost"] - before["cost"], 0.003004 + 0.03001 + 0.0005, opencode_generation)
    child = spent_by(after, "by_agent", "general") - spent_by(before, "by_agent", "general")
    assert child == pytest.approx(0.03001)
    assert spent_by(after, "by_project", str(workplace)) == pytest.approx(after["cost"])
    assert sum(row["cost"] for row in after["by_day"]) == pytest.approx(after["cost"])
    assert sum(row["cost"] for row in after["by_model"]) == pytest.approx(after["cost"])
    everywhere = await host.data("opencode_cost", since="7d")
    assert everywhere["cost"] >= after["cost"] - 1e-6
    told = await host.text("opencode_cost")
    assert "By agent:" in told
    assert "time zone" in told
    assert "deleted sessions" in told
    assert "is not a time" in await host.error("opencode_cost", since="soon")


async def test_a_step_that_was_stopped_is_named_as_one_of_unknown_cost(
    host: Host, workplace: Path, case: str, scripted_model: ScriptedModel
) -> None:
    gate = f"stopped for its cost {case}"
    session_id = await host.start(hold(gate), text("Never said."), directory=str(workplace))
    await scripted_model.reached(gate)
    await host.data("opencode_abort", session_id=session_id)
    unknown = " ".join((await cost_of(host, workplace))["unknown"])
    assert "stopped or failed; OpenCode has no cost of that" in unknown

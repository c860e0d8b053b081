"""Cost of the work, over stdio."""

from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Bridge, Era, open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.host import Host, Json
from tests.integration.sessions.test_session_overview import about
from tests.scripted_model.script import hold, script, step, task, text, usage

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def cost_of(host: Host, directory: Path) -> Json:
    return await host.data("opencode_cost", directory=str(directory))


def spent_by(report: Json, table: str, key: str) -> float:
    name = table.removeprefix("by_")
    return sum(float(row["cost"]) for row in report[table] if row[name] == key)


@pytest.fixture
async def own_host(
    era: Era, tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path
) -> AsyncGenerator[Host]:
    """A host in a project of this test alone: others' titles are counted at any time."""
    launch = attaching(tmp_path, scripted_model, opencode_server, project)
    async with open_bridge(launch, era=era) as bridge:
        yield Host(Bridge(bridge.client, launch))


async def same_everywhere(host: Host, directory: Path, sessions: list[str]) -> Json:
    """Return the cost of the day, once it, the list and each session show the same figures.

    OpenCode 2 counts a request for a title some time after the run.
    """
    reports: list[Json] = []

    async def look() -> bool:
        reports.append(await cost_of(host, directory))
        spent = figures([reports[-1]])
        listed = await host.data("opencode_list_sessions", directory=str(directory))
        seen = [await host.data("opencode_session", session_id=name, limit=0) for name in sessions]
        rows = {row["session_id"]: row for row in listed["sessions"]}
        assert set(rows) == set(sessions)
        parts = [one["subagents_cost"] for one in (rows[sessions[0]], seen[0])]
        parts += [one["subagents"]["cost"] for one in (reports[-1], listed["totals"])]
        same = [figures([listed["totals"]]), figures(seen)]
        return all(one == spent for one in same) and cost_in(rows.values()) == spent[0] and len(set(parts)) == 1

    await eventually(look)
    return reports[-1]


def figures(reports: list[Json]) -> tuple[float, int, int]:
    """Return the cost and the tokens of some reports."""
    tokens = [report["tokens"] for report in reports]
    return cost_in(reports), sum(one["input"] for one in tokens), sum(one["output"] for one in tokens)


def cost_in(reports: Iterable[Json]) -> float:
    return round(sum(report["cost"] for report in reports), 6)


async def test_every_place_counts_forks_and_subagents_once_and_shows_the_same(
    own_host: Host, project: Path, opencode_generation: Generation
) -> None:
    host = own_host
    report = await host.run(
        step(task(script(step(text("By the child."), usage(input=30_000, output=5)))), usage(input=1000, output=1)),
        step(text("Done."), usage(input=2000, output=1)),
        title="Costs",
    )
    assert (report["cost"], report["subagents_cost"]) == (pytest.approx(0.003004 + 0.03001), pytest.approx(0.03001))
    assert report["tokens"]["input"] == 33_000
    fork = await host.data("opencode_fork", session_id=report["session_id"])
    assert (await cost_of(host, project))["sessions_without_cost"] == 1
    await host.run(step(text("In the fork."), usage(input=500, output=0)), session_id=fork["session_id"])
    found = await same_everywhere(host, project, [report["session_id"], fork["session_id"]])
    assert about(found["cost"], 0.003004 + 0.03001 + 0.0005, opencode_generation)
    assert found["subagents"]["cost"] == pytest.approx(0.03001)
    assert spent_by(found, "by_agent", "general") == pytest.approx(0.03001)
    assert spent_by(found, "by_project", str(project)) == pytest.approx(found["cost"])
    for table in ("by_day", "by_model", "by_agent"):
        assert sum(row["cost"] for row in found[table]) == pytest.approx(found["cost"])
    everywhere = await host.data("opencode_cost", since="7d")
    assert everywhere["cost"] >= found["cost"] - 1e-6
    output = await host.text("opencode_cost")
    assert "By agent:" in output
    assert f'- {report["session_id"]} "Costs": $' in output.partition("By session, with its subagents:")[2]
    assert "and 1 subagent (subagent: $0.03)" in output
    assert "time zone" in output
    assert "deleted sessions" in output
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

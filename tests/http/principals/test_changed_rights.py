"""A call that waits for a run reports it when the rights of its principal change, and nothing is begun any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.bridges.bridge import Era, connected
from tests.harness.bridges.launch import attaching
from tests.harness.bridges.served import Served, serving
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.http.operator import Operator
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import bash, hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ALLOWS, ASKS = 'permissions = "allow"', 'permissions = "human"'


@dataclass(frozen=True, slots=True)
class Site:
    """A bridge, and its principal with the settings file."""

    served: Served
    token: str
    settings: Path

    def change(self, old: str, new: str) -> None:
        """Replace a line of the settings, if it is there."""
        text_before = self.settings.read_text(encoding="utf-8")
        self.settings.write_text(text_before.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode1: OpenCode
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("rights")
    project, operator = make_project(folder / "project"), Operator(folder)
    configure(project, {"permission": {"bash": "ask"}})
    token = operator.token("new", "laptop", "--directory", str(project), "--permissions", "allow")
    launch = attaching(folder, scripted_model, opencode1, project)
    with serving(launch.within(OPENCODE_MCP_CONFIG=str(operator.settings)), "--log-level", "INFO") as served:
        yield Site(served, token, operator.settings)


@pytest.mark.both_eras
async def test_a_wait_returns_when_the_rights_change_and_the_old_ones_answer_nothing(
    site: Site, era: Era, scripted_model: ScriptedModel
) -> None:
    url, launch, point = site.served.url, site.served.launch, f"rights {era}"
    site.change(ASKS, ALLOWS)
    async with connected(url, launch, era=era, token=site.token) as bridge:
        # The SDK's client would ask for the tools after the call, in a session that has ended.
        await bridge.client.list_tools()
        host, steps = Host(bridge), (step(hold(point), bash("true")), text("Done."))
        async with meanwhile(lambda: host.run(*steps, wait_seconds=100)) as reports:
            await scripted_model.reached(point)
            await host.wait_for_progress("")
            site.change(ALLOWS, ASKS)
    assert [report["status"] for report in reports] == ["running"]
    await scripted_model.release(point)
    async with connected(url, launch, era=era, token=site.token) as bridge:
        waiting = await Host(bridge).wait(reports[0]["session_id"])
        assert waiting["status"] == "needs_input"
        await bridge.call("opencode_abort", session_id=reports[0]["session_id"])

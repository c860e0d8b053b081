"""A call that waits for a run returns when its access token ends, and the run goes on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS
from tests.harness.bridges.bridge import Era, connected
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.served import Served, serving
from tests.harness.project import make_project
from tests.harness.servers.issuer import AUDIENCE, Issuer, running_issuer
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LEFT_SECONDS = 8
"""Time for which a token is valid: enough for a slow machine to start a run."""
SETTINGS = """
[oauth]
issuer = "{issuer}"
resource = "{audience}"

[principals.alice]
subjects = ["alice"]
directories = ["{directory}"]
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A bridge with its issuer."""

    served: Served
    issuer: Issuer


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode1: OpenCode
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("token_end")
    project, settings = make_project(folder / "project"), folder / "config.toml"
    with running_issuer() as issuer:
        text = SETTINGS.format(issuer=issuer.url, audience=AUDIENCE, directory=project)
        settings.write_text(text, encoding="utf-8")
        variables = attaching(folder, scripted_model, opencode1, project).environment
        launch = Launch((), {**variables, "OPENCODE_MCP_CONFIG": str(settings)}, folder / "bridge.log")
        with serving(launch, "--log-level", "INFO") as served:
            yield Site(served, issuer)


@pytest.mark.both_eras
async def test_a_wait_returns_when_its_token_ends_and_the_run_goes_on(
    site: Site, era: Era, scripted_model: ScriptedModel
) -> None:
    url, launch, point = site.served.url, site.served.launch, f"token end {era}"
    short = site.issuer.token(exp=int(time.time()) - CLOCK_SKEW_SECONDS + LEFT_SECONDS)
    async with connected(url, launch, era=era, token=short) as bridge:
        # The SDK's client would ask for the tools after the call, with the token that has ended.
        await bridge.client.list_tools()
        report = await Host(bridge).run(step(hold(point), text("It is done.")), wait_seconds=100)
    assert report["status"] == "running"
    await scripted_model.release(point)
    async with connected(url, launch, era=era, token=site.issuer.token()) as bridge:
        ended = await Host(bridge).wait(report["session_id"])
    assert (ended["status"], ended["text"]) == ("completed", "It is done.")

"""Runs on a later OpenCode 2 that changes whatever the bridge can do without: each ends in a true report.

A failure names its seeds. ``FAULT_SEEDS=3007,3012`` plays those alone, and ``FAULT_SEEDS=all`` all of them.
"""

from pathlib import Path

import pytest
from mcp import Client

from opencode_mcp.server import uris
from tests.harness.bridges.bridge import text_of
from tests.harness.faults.altered import Altered, altered
from tests.harness.opencode2.newer.release import Release
from tests.harness.opencode2.running import OpenCode2
from tests.harness.project import configure, make_project
from tests.integration.backend import backend
from tests.integration.outages.test_faults import chosen, play_all
from tests.integration.rounds import Desk, Host, Round, check_truth, settings_for

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.long]

RELEASES = range(3000, 3100)
AT_ONCE = 2
"""Rounds at once: the bridges and the servers that change the replies are all in this process."""
READERS = ("opencode_session", "opencode_diff", "opencode_wait")
"""Tools that read a session."""
OTHERS = ("opencode_status", "opencode_list_sessions")


@pytest.fixture
def asking_project(tmp_path: Path) -> Path:
    project = make_project(tmp_path / "project")
    configure(project, {"permission": {"bash": "ask"}})
    return project


async def test_what_a_later_opencode_2_changes_costs_no_run(
    opencode2: OpenCode2, asking_project: Path, tmp_path: Path
) -> None:
    async def play(game: Round) -> None:
        with altered(opencode2.url) as later:
            later.rewriter = Release(game.seed)
            await play_on(game, later, opencode2, asking_project, tmp_path)

    await play_all(chosen(RELEASES, 2), AT_ONCE, play)


async def play_on(game: Round, later: Altered, server: OpenCode2, project: Path, folder: Path) -> None:
    """One round on a later release; the report is checked against the server itself."""
    opencode = backend(server, project)
    async with opencode.http:
        host = Host(game, opencode)

        async def work(client: Client) -> bool:
            done = await host.work(client)
            await read_everything(client, game.final["session_id"])
            return done

        await Desk(settings_for(game, later.url, server, project, folder), game).stay(work)
        await check_truth(game, opencode, survived=True)


async def read_everything(client: Client, session_id: str) -> None:
    """Read a session in every way: what cannot be understood is left out, and the rest is there."""
    calls = [(tool, {"session_id": session_id}) for tool in READERS] + [(tool, {}) for tool in OTHERS]
    for tool, arguments in calls:
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, f"{tool}: {text_of(result)}"
    for uri in (uris.SESSIONS, uris.session(session_id), uris.transcript(session_id)):
        assert (await client.read_resource(uri)).contents

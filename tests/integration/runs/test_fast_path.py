"""The requests that OpenCode gets on the way of a prompt, a wait and a status: few, and with small replies.

They are counted between the bridge and the real OpenCode. Nothing is timed.
"""

from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.differences import EVENTS, HEALTH, MOST_REQUESTS, SESSION_READS, USABLE_MODELS
from tests.harness.faults.altered import Altered, altered
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import hold, step, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LARGEST_REPLY = 200_000
"""Bytes."""
EVERY_MODEL = "/provider"
"""The list of all known models: 7 MB."""
ATTEMPTS = 5
"""A wait that lasts two seconds without an event reads the run's state once more, as on a busy machine."""
CHOICES: list[dict[str, str]] = [{}, {"model": "scripted/m1", "agent": "build"}]


@pytest.fixture(scope="module")
def behind(opencode_server: OpenCode) -> Generator[Altered]:
    """The run's OpenCode, with its requests written down on the way."""
    with altered(opencode_server.url) as server:
        yield server


@pytest.fixture(scope="module")
async def host(
    behind: Altered, tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> AsyncGenerator[Host]:
    folder = tmp_path_factory.mktemp("fast path")
    project = make_project(folder / "project")
    server = replace(opencode_server, url=behind.url)
    async with open_bridge(attaching(folder, scripted_model, server, project)) as bridge:
        host = Host(bridge)
        assert (await host.run(text("Warm.")))["status"] == "completed"
        yield host


@pytest.mark.both_generations
@pytest.mark.parametrize("chosen", CHOICES, ids=["default", "chosen"])
async def test_a_run_in_a_new_session_takes_few_requests(
    host: Host, behind: Altered, chosen: dict[str, str], opencode_generation: Generation
) -> None:
    most = MOST_REQUESTS[opencode_generation]
    counts: list[list[tuple[str, str]]] = []
    for number in range(ATTEMPTS):
        before = len(behind.requests)
        report = await host.run(text(f"Done {number}."), **chosen)
        assert (report["status"], report["text"]) == ("completed", f"Done {number}.")
        counts.append(behind.requests[before:])
        if len(counts[-1]) <= most:
            break
    assert min(map(len, counts)) <= most, counts


@pytest.mark.both_generations
async def test_a_run_that_changes_files_reports_its_session_without_reading_it(
    host: Host, behind: Altered, opencode_generation: Generation
) -> None:
    before = len(behind.requests)
    report = await host.run(write("made.txt", "x\n"), text("Made."), title="Named here")
    assert (report["title"], report["text"]) == ("Named here", "Made.")
    asked = {f"{method} {path}" for method, path in behind.requests[before:]}
    assert not asked & {read.format(id=report["session_id"]) for read in SESSION_READS[opencode_generation]}


@pytest.mark.both_generations
async def test_no_reply_on_the_way_of_a_prompt_a_wait_or_a_status_is_large(
    behind: Altered, host: Host, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    session = await host.start(step(hold("large"), text("Done.")), model="scripted/m1", variant="high", agent="plan")
    await scripted_model.reached("large")
    status = await host.data("opencode_status")
    assert list(status["models"]) == ["scripted/m1", "scripted/m2"]
    await scripted_model.release("large")
    assert (await host.wait(session))["text"] == "Done."
    assert USABLE_MODELS[opencode_generation] in behind.sizes
    assert {path: size for path, size in behind.sizes.items() if size > LARGEST_REPLY} == {}
    assert EVERY_MODEL not in {path for _, path in behind.requests}


async def test_every_known_model_is_read_only_to_explain_one_that_cannot_be_used(behind: Altered, host: Host) -> None:
    before = len(behind.requests)
    assert "no credentials" in await host.error("opencode_run", prompt="x", model="anthropic/claude-sonnet-4-5")
    asked = [path for _, path in behind.requests[before:]]
    assert asked.count(EVERY_MODEL) == 1
    assert "/session" not in asked


@pytest.mark.both_generations
async def test_one_event_stream_serves_every_run(behind: Altered, host: Host, opencode_generation: Generation) -> None:
    await host.run(text("Once more."))
    assert [path for _, path in behind.requests].count(EVENTS[opencode_generation]) == 1


DOCUMENT = "/doc"


async def test_no_operation_waits_for_the_servers_own_document(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> None:
    project = make_project(tmp_path / "project")
    with altered(opencode_server.url) as newer:
        newer.version = "1.999.0"
        newer.silent.add(DOCUMENT)
        newer.lacks |= {"/vcs/status", "/pty/pty_1/connect"}
        launch = attaching(tmp_path, scripted_model, replace(opencode_server, url=newer.url), project)
        async with open_bridge(launch.with_flags("--allow", "execute")) as bridge:
            host = Host(bridge)
            for _ in range(2):
                assert (await host.data("opencode_read_operation", operation="vcs.get"))["reply"]["branch"] == "main"

            async def is_asked_for() -> bool:
                return ("GET", DOCUMENT) in newer.requests

            # Nothing waits for the read of the document, so it may begin later.
            await eventually(is_asked_for)
            assert newer.requests.count(("GET", DOCUMENT)) == 1
            unknown = await host.error("opencode_read_operation", operation="vcs.status")
            closed = await host.error("opencode_call_operation", operation="pty.connect", arguments={"ptyID": "pty_1"})
    assert "This OpenCode does not know vcs.status (GET /vcs/status)" in unknown
    assert "opens no WebSocket" in closed


async def test_a_server_of_the_tested_version_is_not_asked_for_its_document(host: Host, behind: Altered) -> None:
    for _ in range(2):
        await host.data("opencode_read_operation", operation="vcs.get")
    assert DOCUMENT not in {path for _, path in behind.requests}


@pytest.mark.both_generations
async def test_a_status_sends_each_of_its_requests_once(
    host: Host, behind: Altered, opencode_generation: Generation
) -> None:
    before = len(behind.requests)
    await host.data("opencode_status", show="everything")
    asked = behind.requests[before:]
    assert ("GET", HEALTH[opencode_generation]) in asked
    assert len(asked) == len(set(asked))

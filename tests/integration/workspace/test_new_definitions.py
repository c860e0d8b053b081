"""Agents, commands, models and credentials that are added while OpenCode runs can be used at once."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch, attaching, end_left_server, starting
from tests.harness.differences import REREADING
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
AGENT = "---\ndescription: Added later\nmode: primary\n---\nBe brief.\n"
COMMAND = f"---\ndescription: Added later\n---\n{script(text('Done by the command.'))}\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, opencode_generation: Generation) -> Path:
    """A project that an OpenCode of one generation knows before anything is added to it."""
    return make_project(tmp_path_factory.mktemp(f"place{opencode_generation}"))


@pytest.fixture(scope="module")
def shared_launch(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    place: Path,
    opencode_generation: Generation,
) -> Iterator[Launch]:
    if opencode_generation == 2:
        skip_without_engine()
    launch = starting(tmp_path_factory.mktemp("own"), scripted_model, place, opencode_generation)
    yield launch
    end_left_server(launch)


@pytest.fixture(scope="module")
async def owner(shared_launch: Launch) -> AsyncGenerator[Host]:
    """A host whose bridge started the OpenCode, and has worked in the project."""
    async with open_bridge(shared_launch) as bridge:
        host = Host(bridge)
        assert (await host.run(text("Ready."), agent="build", model="scripted/m1"))["status"] == "completed"
        yield host


def write(path: Path, content: str | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.both_generations
async def test_a_new_agent_file_is_used_by_the_next_call(owner: Host, place: Path) -> None:
    write(place / ".opencode/agent/reviewer.md", AGENT)
    report = await owner.run(text("Reviewed."), agent="reviewer")
    assert (report["status"], report["agent"], report["text"]) == ("completed", "reviewer", "Reviewed.")


@pytest.mark.both_generations
async def test_a_new_agent_in_a_folder_above_its_file_is_used_by_the_next_call(owner: Host, place: Path) -> None:
    write(place / ".opencode/agents/team/writer.md", AGENT)
    assert (await owner.run(text("Written."), agent="team/writer"))["agent"] == "team/writer"


@pytest.mark.both_generations
async def test_a_new_command_file_is_run_by_the_next_call(owner: Host, place: Path) -> None:
    write(place / ".opencode/command/greet.md", COMMAND)
    report = await owner.data("opencode_command", command="greet")
    assert (report["status"], report["text"]) == ("completed", "Done by the command.")


@pytest.mark.both_generations
async def test_a_new_model_in_the_projects_settings_is_used_by_the_next_call(owner: Host, place: Path) -> None:
    settings = '{ // with a comment\n "provider": {"scripted": {"models": {"m9": {"name": "M9"},}}},\n}'
    write(place / "opencode.jsonc", settings)
    report = await owner.run(text("By the new model."), model="scripted/m9")
    assert (report["status"], report["model"]) == ("completed", "scripted/m9")


async def test_the_models_of_a_login_are_used_through_a_new_bridge_too(owner: Host, shared_launch: Launch) -> None:
    locked = await owner.error("opencode_run", prompt="Hello.", model="anthropic/claude-sonnet-4-5")
    assert "opencode auth login" in locked
    credentials = Path(shared_launch.environment["XDG_DATA_HOME"]) / "opencode/auth.json"
    write(credentials, {"anthropic": {"type": "api", "key": "sk-ant-not-a-key"}})
    async with open_bridge(shared_launch) as bridge:
        other = Host(bridge)
        # Nobody answers at the provider's address here, so that it is tried is all that can be seen.
        session_id = await other.start(text("Never said."), model="anthropic/claude-sonnet-4-5")
        report = await other.data("opencode_abort", session_id=session_id)
        assert report["model"] == "anthropic/claude-sonnet-4-5"
    credentials.unlink()


@pytest.mark.both_generations
async def test_what_runs_is_not_stopped_for_a_new_agent(
    owner: Host, place: Path, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    session_id = await owner.start(step(hold("busy"), text("Finished.")))
    await scripted_model.reached("busy")
    file = write(place / ".opencode/agent/late.md", AGENT)
    error = await owner.error("opencode_run", prompt="Hello.", agent="late")
    assert str(file) in error
    assert REREADING[opencode_generation] in error
    assert "call again when it has ended" in error
    await scripted_model.release("busy")
    assert (await owner.wait(session_id))["text"] == "Finished."
    assert (await owner.run(text("Now."), agent="late"))["agent"] == "late"


async def test_a_faulty_file_beside_a_new_agent_is_named_and_breaks_nothing(owner: Host, place: Path) -> None:
    write(place / ".opencode/agent/fine.md", AGENT)
    faulty = write(place / ".opencode/agent/faulty.md", AGENT.replace("primary", "nonsense"))
    error = await owner.error("opencode_run", prompt="Hello.", agent="fine")
    assert str(faulty) in error
    assert "still works with what it read before" in error
    assert (await owner.run(text("As before."), agent="build"))["text"] == "As before."
    faulty.unlink()
    assert (await owner.run(text("Corrected."), agent="fine"))["agent"] == "fine"


@pytest.mark.both_generations
async def test_an_agent_that_its_file_turns_off_is_reported_as_such_and_asked_for_once(
    owner: Host, place: Path
) -> None:
    file = write(place / ".opencode/agent/retired.md", AGENT.replace("mode:", "disable: true\nmode:"))
    for _ in range(2):
        error = await owner.error("opencode_run", prompt="Hello.", agent="retired")
        assert f"{file} defines it. OpenCode has read it, and does not offer that." in error
        assert "The agents are" in error


@pytest.mark.both_generations
async def test_a_name_in_the_users_own_settings_is_used_unless_that_takes_a_new_start(
    owner: Host, shared_launch: Launch, opencode_generation: Generation
) -> None:
    file = Path(shared_launch.environment["XDG_CONFIG_HOME"]) / "opencode/opencode.json"
    write(file, {"agent": {"everywhere": {"description": "Added later"}}})
    if opencode_generation == 2:
        assert (await owner.run(text("Used."), agent="everywhere"))["agent"] == "everywhere"
    else:
        error = await owner.error("opencode_run", prompt="Hello.", agent="everywhere")
        assert str(file) in error
        assert "only when it starts" in error
    file.unlink()


async def test_a_server_that_others_started_is_left_as_it_is(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path
) -> None:
    async with AsyncExitStack() as stack:
        launch = attaching(tmp_path, scripted_model, opencode_server, project)
        host = Host(await stack.enter_async_context(open_bridge(launch)))
        unknown = await host.error("opencode_run", prompt="Hello.", agent="reviewer")
        assert "instance.dispose" not in unknown
        file = write(project / ".opencode/agent/reviewer.md", AGENT)
        error = await host.error("opencode_run", prompt="Hello.", agent="reviewer")
        assert str(file) in error
        assert "instance.dispose" in error
        client = await stack.enter_async_context(opencode_server.client(project))
        agents = (await client.get("/agent")).raise_for_status().json()
        assert "reviewer" not in {agent["name"] for agent in agents}


@pytest.mark.both_generations
@pytest.mark.usefixtures("owner")
async def test_a_denial_of_the_operator_is_applied(
    shared_launch: Launch, place: Path, opencode_generation: Generation
) -> None:
    async with open_bridge(shared_launch.with_flags("--deny", REREADING[opencode_generation])) as bridge:
        file = write(place / ".opencode/agent/denied.md", AGENT)
        error = await Host(bridge).error("opencode_run", prompt="Hello.", agent="denied")
        assert str(file) in error
        assert "denies that operation" in error

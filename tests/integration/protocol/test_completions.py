"""Completion while a person types: sessions by words of their titles, all else by name."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from mcp_types import PromptReference, ResourceTemplateReference

from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.server import uris
from tests.harness.bridges.bridge import Bridge, Era, open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.project import commit, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import backend

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

TITLES = ("Repair the login form", "Login tests", "Größe messen", "Late work")
DELEGATE = PromptReference(type="ref/prompt", name="delegate")
HAND_OVER = PromptReference(type="ref/prompt", name="hand_over")


@dataclass(frozen=True, slots=True)
class Place:
    """A project and what is in it."""

    project: Path
    sessions: dict[str, str]
    """By title."""
    messages: list[str]
    """Of the first session, oldest first."""
    other: Path
    """Another allowed project, with an agent of its own."""
    other_session: str


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, opencode_server: OpenCode) -> Place:
    project, other = make_project(tmp_path_factory.mktemp("place")), make_project(tmp_path_factory.mktemp("other"))
    agents = other / ".opencode" / "agent"
    agents.mkdir(parents=True)
    (agents / "gardener.md").write_text("You tend the garden.\n", encoding="utf-8")
    commit(other)
    async with backend(opencode_server, make_project(tmp_path_factory.mktemp("foreign"))) as foreign:
        await foreign.create_session("Foreign login")
    async with backend(opencode_server, other) as opencode:
        other_session = await opencode.create_session("Garden")
    async with backend(opencode_server, project) as opencode:
        sessions = {title: await opencode.create_session(title) for title in TITLES}
        messages = await opencode.notes(sessions[TITLES[0]], "x", "x", "x")
    return Place(project, sessions, messages, other, other_session)


@pytest.fixture(scope="module")
async def host(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    place: Place,
    era: Era,
) -> AsyncGenerator[Bridge]:
    launch = attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, place.project)
    async with open_bridge(launch.with_flags("--directory", str(place.other)), era=era) as opened:
        yield opened


async def completed(host: Bridge, about: PromptReference | str, name: str, typed: str, **others: str) -> list[str]:
    """Return the completions for an argument of a prompt, or of a resource's template."""
    ref = ResourceTemplateReference(type="ref/resource", uri=about) if isinstance(about, str) else about
    completion = (await host.client.complete(ref, {"name": name, "value": typed}, others or None)).completion
    assert completion.has_more is False
    assert completion.total == len(completion.values)
    return completion.values


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("login", {"Repair the login form", "Login tests"}),
        ("form repair", {"Repair the login form"}),
        ("LOGIN", {"Repair the login form", "Login tests"}),
        ("Größe", {"Größe messen"}),
        ("nothing", set[str]()),
    ],
)
@pytest.mark.either_era
async def test_a_session_is_found_by_any_words_of_its_title(
    host: Bridge, place: Place, typed: str, titles: set[str]
) -> None:
    expected = {place.sessions[title] for title in titles}
    assert set(await completed(host, uris.TRANSCRIPT_TEMPLATE, "id", typed)) == expected
    assert set(await completed(host, uris.RUN_TEMPLATE, "session", typed)) == expected
    assert set(await completed(host, HAND_OVER, "session_id", typed)) == expected


@pytest.mark.both_generations
async def test_a_session_is_found_by_the_beginning_of_its_id_and_the_latest_come_first(
    host: Bridge, place: Place
) -> None:
    wanted = place.sessions["Late work"]
    assert await completed(host, uris.SESSION_TEMPLATE, "id", wanted[:-3]) == [wanted]
    every = await completed(host, uris.SESSION_TEMPLATE, "id", "")
    assert set(every) == {*place.sessions.values(), place.other_session}


@pytest.mark.both_generations
async def test_messages_are_those_of_the_session_that_was_named_the_latest_first(host: Bridge, place: Place) -> None:
    session = place.sessions["Repair the login form"]
    assert await completed(host, uris.MESSAGE_TEMPLATE, "message", "msg", id=session) == place.messages[::-1]
    assert await completed(host, uris.RUN_TEMPLATE, "message", "", session=session) == place.messages[::-1]
    assert await completed(host, uris.DIFF_TEMPLATE, "message", place.messages[0], id=session) == place.messages[:1]
    assert await completed(host, uris.DIFF_TEMPLATE, "message", "") == []


@pytest.mark.both_generations
@pytest.mark.both_eras
async def test_agents_are_those_of_the_project_that_was_named(host: Bridge, place: Place) -> None:
    assert await completed(host, DELEGATE, "agent", "BUI") == ["build"]
    assert await completed(host, DELEGATE, "agent", "garden") == []
    assert await completed(host, DELEGATE, "agent", "garden", directory=str(place.other)) == ["gardener"]
    assert await completed(host, HAND_OVER, "agent", "garden", session_id=place.other_session) == ["gardener"]


@pytest.mark.both_generations
async def test_models_are_those_that_have_credentials_by_any_part_of_the_name(host: Bridge) -> None:
    assert await completed(host, DELEGATE, "model", "M2") == ["scripted/m2"]
    assert await completed(host, DELEGATE, "model", "claude") == []


@pytest.mark.both_generations
async def test_commands_are_found_by_name(host: Bridge) -> None:
    assert await completed(host, DELEGATE, "command", "ini") == ["init"]


@pytest.mark.both_generations
async def test_files_are_found_by_parts_of_their_paths(host: Bridge) -> None:
    assert (await completed(host, uris.FILE_TEMPLATE, "path", "greet"))[0] == "src/greet.py"


async def test_directories_are_those_that_are_allowed(host: Bridge, place: Place) -> None:
    both = [str(place.project), str(place.other)]
    assert await completed(host, uris.PROJECT_TEMPLATE, "directory", "") == both
    assert await completed(host, DELEGATE, "directory", place.other.name) == both[1:]


async def test_the_parts_of_a_transcript_are_offered(host: Bridge) -> None:
    assert await completed(host, uris.TRANSCRIPT_TEMPLATE, "show", "") == list(get_args(ShownParts))
    assert await completed(host, uris.TRANSCRIPT_TEMPLATE, "show", "to") == ["tools"]


async def test_what_nobody_can_complete_has_no_values_and_is_no_error(host: Bridge) -> None:
    assert await completed(host, DELEGATE, "task", "Repair") == []
    assert await completed(host, DELEGATE, "agent", "", directory="/nowhere") == []


@pytest.mark.both_eras
async def test_no_more_than_a_hundred_are_offered_and_the_rest_is_admitted(
    host: Bridge, opencode_server: OpenCode, place: Place
) -> None:
    async with backend(opencode_server, place.project) as opencode:
        made = [await opencode.create_session("Plenty") for _ in range(101)]
        ref = ResourceTemplateReference(type="ref/resource", uri=uris.SESSION_TEMPLATE)
        completion = (await host.client.complete(ref, {"name": "id", "value": "plenty"})).completion
        for session in made:
            await opencode.delete(session)
    assert (len(completion.values), completion.total, completion.has_more) == (100, None, True)

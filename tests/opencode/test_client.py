"""The typed calls, against the real OpenCode: what they read, and which of its traps they step around."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, BackendUnavailable, NotFound, NotOpenCode, Unauthorized
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.text.json_types import Schema
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, free_port
from tests.harness.waiting import eventually
from tests.scripted_model.script import script, structured, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.fixture
async def client(opencode_server: OpenCode) -> AsyncGenerator[OpenCodeClient]:
    endpoint = Endpoint(url=opencode_server.url, password=opencode_server.password)
    with anyio.fail_after(60):
        async with connected(endpoint) as connection:
            yield connection


@pytest.fixture
async def session(client: OpenCodeClient, project: Path) -> Session:
    return await client.session_create(str(project), title="Sample")


async def ask(client: OpenCodeClient, session: Session, words: str, schema: Schema | None = None) -> None:
    """Give a prompt and wait until its session is idle again."""
    prompt = PromptSubmission(message_id=new_message_id(), text=words, output_schema=schema)
    await client.submit_prompt(session.id, session.directory, prompt)

    async def answered() -> bool:
        page = await client.session_messages(session.id, limit=1)
        done = [message for message in page.items if message.info.time.completed]
        return bool(done) and session.id not in await client.session_status(session.directory)

    await eventually(answered)


@pytest.mark.parametrize(
    "name",
    ["plain", "two words", "a+b", "100%", "%41", "ünï/çødé", "&=?#;", "a\\b"]
    if sys.platform != "win32"
    else ["plain", "two words", "a+b", "100%", "%41", "ünï\\çødé"],
)
async def test_a_directory_of_any_name_is_the_one_that_opencode_works_in(
    client: OpenCodeClient, tmp_path: Path, name: str
) -> None:
    directory = tmp_path / name
    directory.mkdir(parents=True)
    assert (await client.path(str(directory))).directory == str(directory)


async def test_the_health_reports_the_version(client: OpenCodeClient) -> None:
    health = await client.health()
    assert health.version.count(".") == 2


async def test_what_is_no_opencode_is_said_so(scripted_model: ScriptedModel) -> None:
    async with connected(Endpoint(url=scripted_model.url)) as stranger:
        with pytest.raises(NotOpenCode):
            await stranger.health()


async def test_the_health_passes_on_that_nothing_answers_and_that_the_password_is_wrong(
    opencode_server: OpenCode,
) -> None:
    async with connected(Endpoint(url=f"http://127.0.0.1:{free_port()}")) as nobody:
        with pytest.raises(BackendUnavailable):
            await nobody.health()
    async with connected(Endpoint(url=opencode_server.url, password="wrong")) as refused:
        with pytest.raises(Unauthorized):
            await refused.health()


async def test_agents_come_without_those_that_opencode_hides(client: OpenCodeClient, project: Path) -> None:
    names = {agent.name for agent in await client.agents(str(project))}
    assert {"build", "plan", "general"} <= names
    assert not names & {"title", "summary", "compaction"}


async def test_providers_come_without_their_keys(client: OpenCodeClient, project: Path) -> None:
    providers = await client.providers(str(project))
    assert providers.connected == ["scripted"]
    assert {provider.id for provider in providers.all} == {"scripted", "anthropic"}


async def test_the_configured_model_is_the_default_model(client: OpenCodeClient, project: Path) -> None:
    assert await client.default_model(str(project)) == "scripted/m1"


async def test_an_unknown_session_is_not_found(client: OpenCodeClient) -> None:
    with pytest.raises(NotFound, match="ses_nosuch"):
        await client.session_get("ses_nosuch")


async def test_sessions_of_all_directories_come_page_by_page_newest_first(
    client: OpenCodeClient, project: Path
) -> None:
    made = [await client.session_create(str(project), title=f"paged {project.parent.name}") for _ in range(3)]
    found: list[str] = []
    cursor = ""
    while True:
        wanted = SessionFilter(limit=2, search=f"paged {project.parent.name}", before=float(cursor or 0))
        page = await client.all_sessions(wanted)
        found += [session.id for session in page.items]
        cursor = page.cursor
        if not cursor:
            break
    assert found == [session.id for session in reversed(made)]


async def test_messages_come_page_by_page_oldest_first_within_each(client: OpenCodeClient, session: Session) -> None:
    for number in range(3):
        await ask(client, session, script(text(f"answer {number}")))
    newest = await client.session_messages(session.id, limit=4)
    older = await client.session_messages(session.id, limit=4, before=newest.cursor)
    roles = [message.info.role for message in (*older.items, *newest.items)]
    assert roles == ["user", "assistant"] * 3
    assert older.cursor == ""


async def test_answers_can_be_read_although_opencode_cannot_list_their_prompt(
    client: OpenCodeClient, session: Session
) -> None:
    await ask(client, session, script(structured({"a": 1})), SCHEMA)
    with pytest.raises(BackendFailed, match="OutputFormat"):
        await client.call("session.messages", path={"sessionID": session.id}, query={"limit": 20})
    page = await client.session_messages(session.id, limit=20)
    assert [message.info.structured for message in page.items] == [{"a": 1}]
    assert page.cursor == "", "only the prompt is older"


async def test_a_session_begun_with_a_format_can_still_be_read_as_it_grows(
    client: OpenCodeClient, session: Session
) -> None:
    await ask(client, session, script(structured({"a": 1})), SCHEMA)
    for number in range(4):
        await ask(client, session, script(text(f"later {number}")))
    page = await client.session_messages(session.id, limit=20)
    assert [message.info.role for message in page.items][-2:] == ["user", "assistant"]
    assert len(page.items) >= 5


async def test_a_folder_lists_what_is_in_it(client: OpenCodeClient, project: Path) -> None:
    nodes = {node.name: node.type for node in await client.file_list(str(project), ".")}
    assert nodes["README.md"] == "file"
    assert nodes["src"] == "directory"


async def test_changed_files_are_those_that_differ_from_the_last_commit(client: OpenCodeClient, project: Path) -> None:
    (project / "README.md").write_text("# Other\n", encoding="utf-8")
    changed = await client.vcs_status(str(project))
    assert [(item.file, item.status) for item in changed] == [("README.md", "modified")]
    assert (await client.vcs(str(project))).branch == "main"

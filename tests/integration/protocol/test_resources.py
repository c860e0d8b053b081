"""Resources as a host reads them: every template, pages, files, errors and the fence."""

import base64
import json
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import INVALID_PARAMS, BlobResourceContents, TextResourceContents

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server import uris
from tests.harness.bridges.bridge import Bridge, Era, open_bridge
from tests.harness.bridges.launch import Launch, attaching, left_server
from tests.harness.bridges.rawrpc import MODERN, Host, open_raw
from tests.harness.differences import WITHOUT_TODOS
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.project_uri import project_uri
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, free_port
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import bash, reasoning, script, step, task, text, todos, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Json = dict[str, Any]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
MARKDOWN = "text/markdown"
HEADING = re.compile(r"^### .*(msg_\w+)$", re.MULTILINE)
NOTES = 9
"""Messages of the person's that got no answer, which make a session long at no cost."""


@dataclass(frozen=True, slots=True)
class Story:
    """The sessions and the project to read."""

    project: Path
    session: str
    prompt: str
    answer: str
    child: str
    foreign: str
    """A session in a directory that is not allowed."""


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory, opencode_server: OpenCode) -> Story:
    project = make_project(tmp_path_factory.mktemp("story"))
    (project / "logo.png").write_bytes(PNG)
    (project / "empty.txt").touch()
    (project / "wide.txt").write_bytes("größe".encode("utf-16"))
    (project / "old.txt").write_bytes("größe".encode("latin-1"))
    (project / "clip.mp4").write_text("let a = 1\n", encoding="utf-8")
    (project / "a b#c%d.txt").write_text("odd\n", encoding="utf-8")
    (project / "large.txt").write_bytes(b"0123456789\n" * 200_000)
    configure(project, SNAPSHOTS)
    async with backend(opencode_server, make_project(tmp_path_factory.mktemp("foreign"))) as elsewhere:
        foreign = await elsewhere.create_session("Secret work")
    async with backend(opencode_server, project) as opencode:
        session = await opencode.create_session("Greeting work")
        work = script(
            step(reasoning("A file is wanted."), write("made.txt", "made\n"), todos(("write it", "completed"))),
            task(script(bash("echo below"), text("Below."))),
            text("All is made."),
        )
        await opencode.run(session, work)
        messages = await opencode.message_ids(session)
        (child,) = await opencode.children(session)
        await opencode.notes(session, *(f"note {number}" for number in range(NOTES)))
    return Story(project, session, messages[0], messages[-1], child, foreign)


@pytest.fixture(scope="module")
def story_launch(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode, story: Story
) -> Launch:
    """A bridge that is fenced into the story's project."""
    return attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, story.project)


@pytest.fixture(scope="module")
async def host(story_launch: Launch, era: Era) -> AsyncGenerator[Bridge]:
    async with open_bridge(story_launch, era=era) as opened:
        yield opened


@pytest.fixture
async def opencode(opencode_server: OpenCode, story: Story) -> AsyncGenerator[Backend]:
    """OpenCode in the story's project, beside the bridge."""
    async with backend(opencode_server, story.project) as opened:
        yield opened


async def read(host: Bridge, uri: str) -> TextResourceContents | BlobResourceContents:
    """Read the one content of a resource."""
    (content,) = (await host.client.read_resource(uri)).contents
    assert content.uri == uri
    return content


async def read_text(host: Bridge, uri: str, mime_type: str = MARKDOWN) -> str:
    content = await read(host, uri)
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == mime_type
    return content.text


async def read_json(host: Bridge, uri: str) -> Json:
    return json.loads(await read_text(host, uri, "application/json"))


async def refusal(host: Bridge, uri: str) -> str:
    """The text of the error that reading must give; all that a caller can correct has one code."""
    with pytest.raises(MCPError) as caught:
        await host.client.read_resource(uri)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.data == {"uri": uri}
    return caught.value.error.message


# Lists


@pytest.mark.both_generations
@pytest.mark.both_eras
async def test_the_fixed_addresses_and_the_recent_sessions_are_listed(host: Bridge, story: Story) -> None:
    listed = {resource.uri: resource for resource in (await host.client.list_resources()).resources}
    assert list(listed)[:3] == [uris.SESSIONS, uris.PROJECT, uris.SKILL]
    transcript = listed[uris.transcript(story.session)]
    assert (transcript.title, transcript.mime_type) == ("Greeting work", MARKDOWN)
    assert transcript.annotations is not None
    assert transcript.annotations.audience == ["user", "assistant"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", transcript.annotations.last_modified or "")


@pytest.mark.both_generations
async def test_sessions_of_subagents_and_of_other_directories_are_not_listed(host: Bridge, story: Story) -> None:
    listed = {resource.uri for resource in (await host.client.list_resources()).resources}
    assert not listed & {uris.transcript(story.child), uris.transcript(story.foreign)}
    sessions = (await read_json(host, uris.SESSIONS))["sessions"]
    assert not {session["session_id"] for session in sessions} & {story.child, story.foreign}


@pytest.mark.both_generations
@pytest.mark.either_era
async def test_every_listed_resource_can_be_read_as_what_it_says_it_is(host: Bridge) -> None:
    for resource in (await host.client.list_resources()).resources:
        assert (await read(host, resource.uri)).mime_type == resource.mime_type


@pytest.mark.both_eras
async def test_lists_come_before_opencode_was_ever_needed_and_do_not_start_it(own_launch: Launch, era: Era) -> None:
    host = Host(protocol=MODERN) if era == "2026" else Host()
    async with open_raw(own_launch, host) as client:
        resources = (await client.request("resources/list"))["result"]["resources"]
        prompts = (await client.request("prompts/list"))["result"]["prompts"]
        assert (await client.request("resources/templates/list"))["result"]["resourceTemplates"]
        assert (await client.request("tools/list"))["result"]["tools"]
        filled = await client.request("prompts/get", {"name": "delegate", "arguments": {"task": "x"}})
        assert "result" in filled
        assert [resource["uri"] for resource in resources] == [uris.SESSIONS, uris.PROJECT, uris.SKILL]
        assert [item["name"] for item in prompts] == ["delegate", "review_session", "continue_session", "hand_over"]
        assert left_server(own_launch) is None


@pytest.mark.both_eras
async def test_lists_come_though_opencode_is_gone(story_launch: Launch, era: Era) -> None:
    gone = story_launch.within(OPENCODE_MCP_URL=f"http://127.0.0.1:{free_port()}")
    async with open_raw(gone, Host(protocol=MODERN) if era == "2026" else Host()) as client:
        resources = (await client.request("resources/list"))["result"]["resources"]
        prompts = (await client.request("prompts/list"))["result"]["prompts"]
    assert [resource["uri"] for resource in resources] == [uris.SESSIONS, uris.PROJECT, uris.SKILL]
    assert len(prompts) == 4


# The content at each address


@pytest.mark.both_generations
async def test_the_list_of_sessions_says_what_each_is_and_where_its_transcript_is(host: Bridge, story: Story) -> None:
    sessions = (await read_json(host, uris.SESSIONS))["sessions"]
    (found,) = [session for session in sessions if session["session_id"] == story.session]
    assert (found["title"], found["status"], found["directory"]) == ("Greeting work", "idle", str(story.project))
    assert found["transcript"] == uris.transcript(story.session)


@pytest.mark.both_generations
async def test_the_project_lists_its_agents_models_and_commands(host: Bridge, story: Story) -> None:
    project = await read_json(host, project_uri(str(story.project)))
    assert project == await read_json(host, uris.PROJECT)
    assert (project["directory"], project["branch"]) == (str(story.project), "main")
    assert "build" in project["agents"]
    assert "scripted/m1" in project["models"]


@pytest.mark.both_generations
async def test_a_session_reports_what_it_does_and_whom_it_called(host: Bridge, story: Story) -> None:
    session = await read_json(host, uris.session(story.session))
    assert (session["session_id"], session["status"]) == (story.session, "idle")
    assert [child["session_id"] for child in session["children"]] == [story.child]
    assert (session["transcript"], session["changes"]) == (uris.transcript(story.session), uris.diff(story.session))


@pytest.mark.both_generations
async def test_a_transcript_reports_what_was_said_and_done_subagents_included(host: Bridge, story: Story) -> None:
    transcript = await read_text(host, uris.transcript(story.session))
    assert "All is made." in transcript
    assert story.child in transcript
    assert "Below." in transcript
    assert "- thought: 17 characters" in transcript
    assert "- thought → `A file is wanted.`" in await read_text(host, uris.transcript(story.session, show="everything"))


@pytest.mark.both_generations
async def test_a_subagents_session_is_read_like_any_other(host: Bridge, story: Story) -> None:
    assert "echo below" in await read_text(host, uris.transcript(story.child))
    assert (await read_json(host, uris.session(story.child)))["parent"] == story.session


@pytest.mark.both_generations
async def test_the_changes_are_those_of_the_session_or_of_one_prompt(host: Bridge, story: Story) -> None:
    whole = await read_text(host, uris.diff(story.session))
    assert "`made.txt`" in whole
    assert "+made" in whole
    assert "1 file changed by this session, +1 -0" in whole
    of_prompt = whole.replace("this session", "this prompt")
    assert await read_text(host, uris.diff(story.session, story.prompt)) == of_prompt
    assert await read_text(host, uris.diff(story.session, story.answer)) == of_prompt
    assert await read_text(host, uris.diff(story.child)) == "This session changed no file."


async def test_todos_are_a_list(host: Bridge, story: Story) -> None:
    assert (await read_json(host, uris.session(story.session)))["todos"] == ["[x] write it"]
    assert await read_text(host, uris.todo(story.session)) == "[x] write it"


@pytest.mark.both_generations
async def test_a_session_without_todos_says_so(host: Bridge, story: Story, opencode_generation: Generation) -> None:
    assert await read_text(host, uris.todo(story.child)) == WITHOUT_TODOS[opencode_generation]


@pytest.mark.both_generations
async def test_a_message_is_read_with_everything_in_it(host: Bridge, story: Story) -> None:
    assert "All is made." in await read_text(host, uris.message(story.session, story.answer))
    assert "A file is wanted." in await read_text(host, uris.message(story.session, story.prompt))


@pytest.mark.both_generations
async def test_a_run_is_reported_by_its_prompt_or_by_any_answer_to_it(host: Bridge, story: Story) -> None:
    report = await read_text(host, uris.run(story.session, story.prompt))
    assert report.startswith("completed")
    assert "added made.txt +1 -0" in report
    assert await read_text(host, uris.run(story.session, story.answer)) == report


# Pages


def messages_in(page: str) -> dict[str, str]:
    """Return the text of each message of a page, by its id."""
    found = list(HEADING.finditer(page))
    ends = [*(match.start() for match in found[1:]), len(page)]
    return {match[1]: page[match.end() : end].strip() for match, end in zip(found, ends, strict=True)}


async def pages_of(host: Bridge, uri: str) -> AsyncGenerator[dict[str, str]]:
    """A transcript's pages, the latest first."""
    while uri:
        page = await read_text(host, uri)
        yield messages_in(page)
        older = re.match(r"Older messages: (\S+)\n", page)
        uri = older[1] if older else ""


def joined(pages: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    return [item for page in reversed(pages) for item in page.items()]


@pytest.mark.parametrize("limit", [1, 3, 5])
@pytest.mark.either_era
async def test_the_pages_of_a_transcript_joined_are_the_whole(host: Bridge, story: Story, limit: int) -> None:
    (whole,) = [page async for page in pages_of(host, uris.transcript(story.session, limit="100"))]
    pages = [page async for page in pages_of(host, uris.transcript(story.session, limit=str(limit)))]
    assert len(whole) >= NOTES + 4
    assert all(len(page) == limit for page in pages[:-1])
    assert joined(pages) == list(whole.items())


@pytest.mark.both_generations
async def test_the_next_page_is_the_same_though_messages_come_meanwhile(host: Bridge, opencode: Backend) -> None:
    session = await opencode.create_session("Growing work")
    before = await opencode.notes(session, *(f"early {number}" for number in range(6)))
    pages: list[dict[str, str]] = []
    async for page in pages_of(host, uris.transcript(session, limit="2")):
        pages.append(page)
        await opencode.notes(session, "late")
    assert [message for message, _ in joined(pages)] == before


async def test_the_pages_of_the_sessions_joined_are_all_though_some_come_meanwhile(
    story_launch: Launch, opencode_server: OpenCode, project: Path, era: Era
) -> None:
    found: list[str] = []
    async with (
        backend(opencode_server, project) as opencode,
        open_bridge(story_launch.with_flags("--directory", str(project)), era=era) as host,
    ):
        made = [await opencode.create_session(f"Session {number}") for number in range(60)]
        uri = uris.SESSIONS
        while uri:
            page = await read_json(host, uri)
            found += [session["session_id"] for session in page["sessions"]]
            uri = page.get("more", "")
            await opencode.create_session("Later")
    assert len(found) == len(set(found))
    assert [session for session in found if session in made] == made[::-1]


# Files


async def test_a_text_file_is_read_as_text_of_its_type(host: Bridge) -> None:
    assert "def greet" in await read_text(host, uris.file("src/greet.py"), "text/x-python")
    assert await read_text(host, uris.file("README.md")) == "# Sample\n\nA small project.\n"
    assert await read_text(host, uris.file("empty.txt"), "text/plain") == ""
    assert await read_text(host, uris.file("wide.txt"), "text/plain") == "größe"
    assert await read_text(host, uris.file("a b#c%d.txt"), "text/plain") == "odd\n"


async def test_a_text_is_no_video_because_of_its_name(host: Bridge) -> None:
    assert await read_text(host, uris.file("clip.mp4"), "text/plain") == "let a = 1\n"


@pytest.mark.both_eras
async def test_what_is_no_text_is_read_byte_for_byte(host: Bridge) -> None:
    image = await read(host, uris.file("logo.png"))
    old = await read(host, uris.file("old.txt"))
    assert isinstance(image, BlobResourceContents)
    assert isinstance(old, BlobResourceContents)
    assert (image.mime_type, image.blob) == ("image/png", base64.b64encode(PNG).decode())
    assert old.blob == base64.b64encode("größe".encode("latin-1")).decode()


async def test_a_file_may_be_named_by_its_absolute_path_or_with_its_project(host: Bridge, story: Story) -> None:
    path = story.project / "README.md"
    whole = path.read_text(encoding="utf-8")
    assert await read_text(host, uris.file(str(path))) == whole
    assert await read_text(host, uris.file("README.md", str(story.project))) == whole


# What cannot be read


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("opencode://nonsense", "There is no resource opencode://nonsense. Addresses look like opencode://sessions"),
        ("opencode://session/x", "'x' is not a session id. They begin with 'ses'"),
        ("opencode://session/ses_gone/transcript", "There is no session 'ses_gone'. opencode_list_sessions lists"),
        ("opencode://sessions?cursor=x", "The cursor 'x' is not"),
        ("opencode://project?directory=relative", "The directory 'relative' is relative. Give an absolute path in"),
        ("opencode://file/src/great.py", "There is no file 'src/great.py'"),
        ("opencode://file/src/great.py", "Near it: src/greet.py"),
        ("opencode://file/src", "'src' is a folder. In it: greet.py."),
        (
            "opencode://file/large.txt",
            "large.txt is larger than 2,000,000 bytes. opencode_read_file reads it by lines.",
        ),
    ],
)
@pytest.mark.both_eras
async def test_a_wrong_address_says_what_would_be_right(host: Bridge, uri: str, said: str) -> None:
    assert said in await refusal(host, uri)


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("transcript?limit=0", "limit=0 is not a number of messages. It takes 1 to 100."),
        ("transcript?limit=many", "limit=many is not a number of messages. It takes 1 to 100."),
        ("transcript?cursor=x", "The cursor 'x' is not from"),
        ("diff?message=msg_gone", "has no message 'msg_gone'. opencode_session shows those that it has."),
        ("message/msg_gone", "has no message 'msg_gone'."),
    ],
)
async def test_a_wrong_part_of_a_sessions_address_says_what_would_be_right(
    host: Bridge, story: Story, rest: str, said: str
) -> None:
    assert said in await refusal(host, f"{uris.session(story.session)}/{rest}")


@pytest.mark.both_generations
async def test_a_run_that_does_not_exist_is_reported_as_such(host: Bridge, story: Story) -> None:
    assert "has no message 'msg_gone'" in await refusal(host, uris.run(story.session, "msg_gone"))


@pytest.mark.both_generations
@pytest.mark.parametrize("part", ["", "/transcript", "/diff", "/todo", "/message/msg_1"])
async def test_a_session_of_another_directory_is_not_to_be_read(host: Bridge, story: Story, part: str) -> None:
    said = await refusal(host, uris.session(story.foreign) + part)
    assert "outside of what is allowed" in said
    assert "Secret" not in said


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "src/../../outside.txt"])
async def test_a_file_outside_of_the_project_is_not_to_be_read(host: Bridge, story: Story, path: str) -> None:
    (story.project.parent / "outside.txt").write_text("secret", encoding="utf-8")
    assert "outside of what is allowed" in await refusal(host, uris.file(path))


@pytest.mark.skipif(sys.platform == "win32", reason="Links need a privilege there.")
async def test_a_link_out_of_the_project_leads_nowhere(host: Bridge, story: Story) -> None:
    link = story.project / "away"
    link.unlink(missing_ok=True)
    link.symlink_to(story.project.parent)
    assert "outside of what is allowed" in await refusal(host, uris.file("away/outside.txt"))


async def test_another_project_is_not_to_be_read(host: Bridge, story: Story) -> None:
    assert "outside of what is allowed" in await refusal(host, project_uri(str(story.project.parent)))
    assert "outside of what is allowed" in await refusal(host, uris.file("x", str(story.project.parent)))

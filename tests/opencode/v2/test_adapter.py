"""The calls of OpenCode 2, on the preview engine behind the proxy with the released contract."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, NotFound, UnsupportedOperation
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Transport
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.opencode.vocabulary.submission import (
    CommandSubmission,
    PromptSubmission,
    SessionSettings,
    ShellSubmission,
)
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.prompting.message_ids import new_message_id
from tests.harness.opencode2.running import OpenCode2
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.scripted_model.script import bash, hold, script, step, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
WAIT = 60.0


def endpoint_of(server: OpenCode2) -> Endpoint:
    return Endpoint(url=server.url, password=server.password, generation=2)


@pytest.fixture
async def client(opencode2: OpenCode2) -> AsyncIterator[OpenCodeClient]:
    with anyio.fail_after(2 * WAIT):
        async with connected(endpoint_of(opencode2)) as client:
            yield client


@pytest.fixture
async def session(client: OpenCodeClient, shared_project: Path) -> Session:
    return await client.session_create(str(shared_project), title="Sample", metadata={"mine": [1]})


async def ended(client: OpenCodeClient, session: Session) -> None:
    """Wait until a session is idle and has an answer."""

    async def look() -> bool:
        page = await client.session_messages(session.id, limit=10)
        done = [message for message in page.items if message.info.ended]
        return bool(done) and session.id not in await client.session_status(session.directory)

    await eventually(look, seconds=WAIT)


async def ask(
    client: OpenCodeClient, session: Session, words: str, agent: str = "", model: str = "", variant: str = ""
) -> str:
    """Hand a prompt over and wait until it is answered; return its id."""
    prompt = PromptSubmission(message_id=new_message_id(), text=words, agent=agent, model=model, variant=variant)
    await client.submit_prompt(session.id, session.directory, prompt)
    await ended(client, session)
    return prompt.message_id


async def test_a_directory_is_read_with_its_agents_models_and_commands_at_the_first_call(
    client: OpenCodeClient, shared_project: Path
) -> None:
    where = str(shared_project)
    assert {"build", "plan", "asking"} <= {agent.name for agent in await client.agents(where)}
    assert "title" not in {agent.name for agent in await client.agents(where)}
    used = await client.used_providers(where)
    assert sorted(used.usable) == ["scripted/m1", "scripted/m2"]
    assert list(used.all[0].models["m1"].variants) == ["high"]
    assert await client.default_model(where) == "scripted/m1"
    assert [command.name for command in await client.commands(where) if command.name == "greet"] == ["greet"]
    assert await client.mcp_status(where) == {}
    paths = await client.path(where)
    assert (paths.directory, paths.worktree) == (where, where)
    health = await client.health()
    assert (health.generation, health.version) == (2, "2.1.2")


async def test_a_directory_that_another_client_had_closed_is_not_taken_for_an_empty_one(
    client: OpenCodeClient, opencode2: OpenCode2, shared_project: Path
) -> None:
    where = str(shared_project)
    for read in (client.agents, client.commands):
        before = len(await read(where))
        await anyio.to_thread.run_sync(opencode2.unload, shared_project)
        assert len(await read(where)) == before > 0


async def test_a_session_is_created_with_its_settings(client: OpenCodeClient, shared_project: Path) -> None:
    where = str(shared_project)
    settings = SessionSettings(agent="plan", model="scripted/m2", variant="high")
    made = await client.session_create(where, settings=settings)
    shown = made.model_extra or {}
    assert shown["agent"] == "plan"
    assert shown["model"] == {"providerID": "scripted", "id": "m2", "variant": "high"}


async def test_a_session_has_title_directory_and_metadata(client: OpenCodeClient, session: Session) -> None:
    found = await client.session_get(session.id)
    assert (found.title, found.directory) == ("Sample", session.directory)
    assert (found.model_extra or {})["metadata"] == {"mine": [1]}
    await client.session_set_metadata(session, {"mine": [2]})
    assert ((await client.session_get(session.id)).model_extra or {})["metadata"] == {"mine": [2]}
    await client.session_delete(session.id)
    with pytest.raises(NotFound):
        await client.session_get(session.id)


async def test_a_session_whose_directory_is_gone_is_read_from_the_list(
    client: OpenCodeClient, opencode2: OpenCode2, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "gone")
    made = await client.session_create(str(project), title="Without a directory")
    opencode2.unload(project)
    shutil.rmtree(project)
    found = await client.session_get(made.id)
    assert (found.title, found.directory) == ("Without a directory", str(project))
    listed = await client.all_sessions(SessionFilter(search="Without a directory"))
    assert [item.id for item in listed.items] == [made.id]


async def test_sessions_come_newest_first_in_pages_by_time(client: OpenCodeClient, shared_project: Path) -> None:
    made = [(await client.session_create(str(shared_project), title=f"paged {number}")).id for number in range(3)]
    first = await client.all_sessions(SessionFilter(search="paged", limit=2))
    assert [item.id for item in first.items] == [made[2], made[1]]
    rest = await client.all_sessions(SessionFilter(search="paged", limit=2, before=float(first.cursor)))
    assert [item.id for item in rest.items] == [made[0]]
    assert rest.cursor == ""
    recent = await client.all_sessions(SessionFilter(search="paged", since=first.items[0].time.updated))
    assert [item.id for item in recent.items] == [made[2]]
    elsewhere = await client.all_sessions(SessionFilter(search="paged"), "/nowhere/at/all")
    assert elsewhere.items == []


async def test_a_prompt_runs_with_the_agent_the_model_and_the_variant_that_were_chosen(
    client: OpenCodeClient, session: Session
) -> None:
    prompt = await ask(client, session, script(text("Two.")), agent="plan", model="scripted/m2", variant="high")
    page = await client.session_messages(session.id, limit=20)
    answer = next(message.info for message in page.items if message.info.role == "assistant")
    assert (answer.parent_id, answer.agent, answer.model) == (prompt, "plan", "scripted/m2")
    again = await ask(client, session, script(text("Still two.")))
    page = await client.session_messages(session.id, limit=20)
    answer = next(message.info for message in page.items if message.info.parent_id == again)
    assert (answer.agent, answer.model) == ("plan", "scripted/m2")


async def test_messages_come_in_pages_and_each_answer_names_its_prompt(
    client: OpenCodeClient, session: Session
) -> None:
    prompts = [await ask(client, session, script(bash("echo hi"), text(f"answer {number}"))) for number in range(2)]
    cursor, named = "", []
    while True:
        page = await client.session_messages(session.id, limit=2, before=cursor)
        named = [(item.info.role, item.info.parent_id or item.info.id) for item in page.items] + named
        cursor = page.cursor
        if not cursor:
            break
    expected = [("user", prompt) if role == "user" else (role, prompt) for prompt in prompts for role in STEPS]
    assert named == expected
    last = (await client.session_messages(session.id, limit=2)).items[-1]
    assert (await client.session_message(session.id, last.info.id)).info.parent_id == prompts[-1]
    with pytest.raises(NotFound):
        await client.session_message(session.id, "msg_nosuch")


STEPS = ("user", "assistant", "assistant")


async def test_what_a_prompt_changed_can_be_read_undone_and_restored(
    client: OpenCodeClient, session: Session, shared_project: Path
) -> None:
    name = f"undone-{session.id}.txt"
    prompt = await ask(client, session, script(write(name, "x\n"), text("Made.")))
    assert [(diff.file, diff.additions) for diff in await client.session_diff(session.id, prompt)] == [(name, 1)]
    undone = await client.session_revert(session.id, prompt)
    assert undone.revert
    assert undone.revert.message_id == prompt
    assert not (shared_project / name).exists()
    restored = await client.session_unrevert(session.id)
    assert restored.revert is None
    assert (shared_project / name).exists()
    assert (await client.session_unrevert(session.id)).revert is None
    fork = await client.session_fork(session.id)
    assert fork.id != session.id
    (shared_project / name).unlink()


async def test_commands_and_shell_lines_run(client: OpenCodeClient, session: Session) -> None:
    command = CommandSubmission(message_id=new_message_id(), name="greet", arguments="Bob")
    await client.submit_command(session.id, session.directory, command, timeout=WAIT, begin_within=WAIT)
    await ended(client, session)
    line = ShellSubmission(message_id=new_message_id(), line="echo from-the-shell", agent="build")
    await client.submit_shell(session.id, session.directory, line, timeout=WAIT)
    messages = (await client.session_messages(session.id, limit=20)).items
    calls = [part for message in messages for part in message.parts if isinstance(part, ToolPart)]
    assert "from-the-shell" in calls[-1].state.output


async def test_files_and_version_control_are_read(client: OpenCodeClient, shared_project: Path) -> None:
    where = str(shared_project)
    nodes = {node.name: node.type for node in await client.file_list(where, ".")}
    assert (nodes["README.md"], nodes["src"]) == ("file", "directory")
    inside = {node.path for node in await client.file_list(where, "src")}
    assert "src/greet.py" in inside
    async with client.file_bytes(where, "README.md") as body:
        read = b"".join([chunk async for chunk in body.chunks])
    assert read == (shared_project / "README.md").read_bytes()
    (shared_project / "README.md").write_text("# Changed\n", encoding="utf-8")
    try:
        assert "README.md" in {item.file for item in await client.vcs_status(where)}
        assert "README.md" in {item.file for item in await client.vcs_diff(where, "git")}
        assert (await client.vcs(where)).branch == "main"
    finally:
        (shared_project / "README.md").write_bytes(read)


async def test_what_opencode_2_lacks_is_empty_or_refused(client: OpenCodeClient, session: Session) -> None:
    assert await client.session_todo(session.id) == []
    assert await client.find_symbols(session.directory, "greet") == []
    with pytest.raises(UnsupportedOperation, match="cannot search text"):
        await client.find_text(session.directory, "greet")


@pytest.fixture(params=[False, True], ids=["the first one wins", "others conflict"])
def same_id(request: pytest.FixtureRequest, opencode2: OpenCode2) -> Iterator[None]:
    """Both meanings that a second prompt of the same id may have."""
    opencode2.switch(same_id_conflicts=request.param)
    yield
    opencode2.switch(same_id_conflicts=False)


@pytest.mark.usefixtures("same_id")
async def test_a_prompt_whose_reply_was_lost_is_sent_again_and_taken_once(
    client: OpenCodeClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send
    lost: list[HttpRequest] = []

    async def lose_first(
        self: Transport, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Reply:
        reply = await send(self, request, timeout=timeout, queued=queued)
        if request.path.endswith("/prompt") and not lost:
            lost.append(request)
            raise BackendUnavailable("The connection broke.", sent=True)
        return reply

    monkeypatch.setattr(Transport, "send", lose_first)
    prompt = await ask(client, session, script(text("Once.")))
    assert lost
    messages = (await client.session_messages(session.id, limit=20)).items
    assert [message.info.id for message in messages if message.info.role == "user"] == [prompt]
    assert sum(message.info.role == "assistant" for message in messages) == 1


async def test_a_prompt_that_gets_no_reply_is_sent_twice_within_its_time(
    client: OpenCodeClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send
    times: list[float] = []

    async def lose_all(
        self: Transport, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Reply:
        if request.path.endswith("/prompt"):
            times.append(timeout)
            raise BackendTimeout("No reply.")
        return await send(self, request, timeout=timeout, queued=queued)

    monkeypatch.setattr(Transport, "send", lose_all)
    prompt = PromptSubmission(message_id=new_message_id(), text="Hello", is_first=True)
    with pytest.raises(BackendTimeout):
        await client.submit_prompt(session.id, session.directory, prompt, timeout=8)
    assert times == [4, 4]


@pytest.mark.parametrize("arrives", [True, False], ids=["only the reply is lost", "the request is lost"])
async def test_a_session_whose_creation_got_no_reply_is_there_once(
    client: OpenCodeClient, shared_project: Path, monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    send = Transport.send
    lost: list[HttpRequest] = []

    async def lose_first(
        self: Transport, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Reply:
        if lost or (request.method, request.path) != ("POST", "/api/session"):
            return await send(self, request, timeout=timeout, queued=queued)
        lost.append(request)
        if arrives:
            await send(self, request, timeout=timeout, queued=queued)
        raise BackendUnavailable("The connection broke.", sent=True)

    monkeypatch.setattr(Transport, "send", lose_first)
    title = f"Created once, {arrives}"
    made = await client.session_create(str(shared_project), title=title)
    assert lost
    found = (await client.all_sessions(SessionFilter(search=title, limit=9), str(shared_project))).items
    assert [session.id for session in found] == [made.id]
    await client.session_delete(made.id)


async def test_a_directory_that_was_removed_has_no_requests(client: OpenCodeClient, tmp_path: Path) -> None:
    removed = str(tmp_path / "removed")
    assert (await client.permissions(removed), await client.questions(removed)) == ([], [])


async def test_stopping_an_idle_or_an_unknown_session_succeeds(client: OpenCodeClient, session: Session) -> None:
    await client.session_abort(session.id, session.directory)
    await client.session_abort("ses_nosuch", session.directory)


async def test_the_running_sessions_of_one_directory_are_distinguished_from_those_of_others(
    client: OpenCodeClient, session: Session, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    prompt = PromptSubmission(message_id=new_message_id(), text=script(step(hold("elsewhere"), text("Done."))))
    await client.submit_prompt(session.id, session.directory, prompt)
    await scripted_model.reached("elsewhere")
    assert session.id in await client.session_status(str(tmp_path))
    assert session.id in await client.running_sessions(session.directory)
    assert await client.running_sessions(str(tmp_path)) == []
    await scripted_model.release("elsewhere")
    await ended(client, session)


async def test_clients_of_one_server_share_what_is_known_of_its_directories_until_it_closes_them(
    opencode2: OpenCode2, shared_project: Path
) -> None:
    where = str(shared_project)
    asked: list[str] = []

    class Counting(Transport):
        async def send(
            self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
        ) -> Reply:
            asked.append(request.path)
            return await super().send(request, timeout=timeout, queued=queued)

    with anyio.fail_after(WAIT):
        async with aclosing(Counting(endpoint_of(opencode2))) as transport:
            await OpenCodeClient(transport).agents(where)
            asked.clear()
            await OpenCodeClient(transport).agents(where)
            assert asked == ["/api/agent"]
            transport.reopen_projects()
            await OpenCodeClient(transport).agents(where)
            assert asked == ["/api/agent", "/api/agent", "/api/model", "/api/agent"]

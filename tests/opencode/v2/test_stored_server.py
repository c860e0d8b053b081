"""Calls of OpenCode 2 where replies are lost or late, and where pages of messages are cut at any place."""

import anyio
import pytest

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidArgument,
    NotFound,
    Unauthorized,
)
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.v2.calls import message_calls, project_calls
from opencode_mcp.opencode.v2.calls.message_calls import PAGES_OF_A_TURN
from opencode_mcp.opencode.v2.calls.session_calls import MOST_PAGES
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.runs.prompting.send_failures import may_have_arrived
from tests.opencode.v2.lists import SESSION, idle, prompt, read, said, step
from tests.opencode.v2.stored_server import StoredServer

pytestmark = pytest.mark.anyio

LOST = BackendUnavailable("The connection broke.", sent=True)
SLOW = BackendTimeout("It did not answer in time.")
GONE = BackendUnavailable("Nothing answers.", sent=False)
STARTING = BackendFailed("It is starting.", status=503)
CONFLICT = InvalidArgument("OpenCode refused session.prompt: it exists already.")
HISTORY = [
    prompt(1),
    step(2, "tool-calls", said("One.")),
    idle(3, "interrupted"),
    prompt(4),
    step(5, "tool-calls", said("Two.")),
    step(6, "tool-calls", said("Three.")),
    idle(7),
    prompt(8),
    idle(9, "failed", error={"type": "provider.no-route", "message": "Model unavailable"}),
]
"""Executions whose ends only the marks show."""


async def send(server: StoredServer) -> None:
    await server.calls().submit_prompt(SESSION, "/p", PromptSubmission(message_id="msg_1", text="Do it."))


def prompts_sent(server: StoredServer) -> int:
    return sum(request.path.endswith("/prompt") for request in server.requests)


@pytest.mark.parametrize("first", [LOST, SLOW], ids=["lost", "slow"])
async def test_a_prompt_whose_reply_is_lost_is_sent_again_with_the_same_id(first: BridgeError) -> None:
    server = StoredServer(failures=[first])
    await send(server)
    sent = [request.body for request in server.requests if request.path.endswith("/prompt")]
    assert len(sent) == 2
    assert sent[0] == sent[1]


@pytest.mark.parametrize("second", [GONE, LOST, SLOW, STARTING, CONFLICT, Unauthorized("The password was changed.")])
@pytest.mark.parametrize("first", [LOST, SLOW], ids=["lost", "slow"])
async def test_a_prompt_that_may_have_arrived_is_never_reported_as_not_sent(
    first: BridgeError, second: BridgeError
) -> None:
    server = StoredServer(failures=[first, second])
    with pytest.raises(BridgeError) as failed:
        await send(server)
    assert may_have_arrived(failed.value)
    assert prompts_sent(server) == 2


async def test_a_prompt_that_did_not_reach_the_server_is_not_sent_again() -> None:
    server = StoredServer(failures=[GONE])
    with pytest.raises(BackendUnavailable) as failed:
        await send(server)
    assert not may_have_arrived(failed.value)
    assert prompts_sent(server) == 1


@pytest.mark.parametrize("limit", range(1, len(HISTORY) + 1))
async def test_every_page_shows_the_same_ends_as_the_whole_history(limit: int) -> None:
    calls, found, cursor = StoredServer(HISTORY).calls(), [], ""
    for _ in HISTORY:
        page = await calls.session_messages(SESSION, limit=limit, before=cursor)
        found = page.items + found
        cursor = page.cursor
        if not cursor:
            break
    assert [message.info for message in found] == [message.info for message in read(*HISTORY)]


async def test_pages_without_end_and_without_a_prompt_are_read_for_a_limited_number_of_times() -> None:
    server = StoredServer([step(1, "tool-calls")], endless=True)
    page = await server.calls().session_messages(SESSION, limit=5)
    assert len(page.items) == 5
    assert len(server.requests) <= PAGES_OF_A_TURN + 1


@pytest.mark.parametrize("page_size", range(1, len(HISTORY) + 1))
async def test_a_message_that_is_read_alone_is_the_same_as_in_the_whole_history(
    monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    monkeypatch.setattr(message_calls, "MOST_MESSAGES", page_size)
    calls = StoredServer(HISTORY).calls()
    for message in read(*HISTORY):
        alone = await calls.session_message(SESSION, message.info.id)
        assert (alone.info.id, alone.info.parent_id) == (message.info.id, message.info.parent_id)
        assert alone.info.error == message.info.error
        assert alone.info.ended == message.info.ended


async def test_a_message_is_searched_for_in_a_limited_number_of_pages() -> None:
    sought = step(2)
    server = StoredServer([sought, step(1, "tool-calls")], endless=True)
    with pytest.raises(NotFound):
        await server.calls().session_message(SESSION, str(sought["id"]))
    assert len(server.requests) == PAGES_OF_A_TURN + 1


@pytest.mark.parametrize("search", ["", "nothing"])
async def test_sessions_are_searched_for_in_a_limited_number_of_pages(search: str) -> None:
    archived = {"id": "ses_1", "time": {"updated": 1, "archived": 1}}
    server = StoredServer(sessions=[archived], endless=True)
    page = await server.calls().all_sessions(SessionFilter(limit=10, search=search))
    assert (page.items, page.cursor) == ([], "")
    assert sum(request.path == "/api/session" for request in server.requests) == MOST_PAGES


async def test_a_session_that_is_deleted_while_opencode_makes_a_list_does_not_fail_it() -> None:
    session = {"id": "ses_1", "time": {"updated": 1}}
    gone = NotFound("Session not found")
    calls = StoredServer(sessions=[session], list_failures=[gone, gone]).calls()
    assert [one.id for one in (await calls.all_sessions(SessionFilter(limit=10))).items] == ["ses_1"]
    with pytest.raises(NotFound):
        await StoredServer(list_failures=[gone, gone, gone]).calls().session_children("ses_1")


PROJECT = "/p"
AGENT: dict[str, object] = {"id": "build", "mode": "primary"}
MODEL: dict[str, object] = {"id": "m1", "providerID": "scripted"}
SECONDS = 30


async def agents_of(server: StoredServer) -> list[str]:
    with anyio.fail_after(SECONDS):
        return [agent.name for agent in await server.calls().agents(PROJECT)]


async def test_lists_are_empty_when_the_time_for_them_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_calls, "AGENTS_SECONDS", 0.1)
    assert await agents_of(StoredServer(lists={"model": [MODEL]})) == []


async def test_a_wait_for_models_that_is_cancelled_is_resumed_for_the_rest_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(project_calls, "MODELS_SECONDS", 0.5)
    server = StoredServer(lists={"agent": [AGENT]})
    with anyio.move_on_after(0.1):
        await agents_of(server)
    deadline = server.directory_lists[PROJECT].models_deadline
    assert await agents_of(server) == ["build"]
    assert server.directory_lists[PROJECT].models_deadline == deadline


async def test_a_directory_without_models_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_calls, "MODELS_SECONDS", 0.1)
    server = StoredServer(lists={"agent": [AGENT]})
    await agents_of(server)
    server.directory_lists[PROJECT].note_change()
    monkeypatch.setattr(project_calls, "MODELS_SECONDS", 10 * SECONDS)
    assert await agents_of(server) == ["build"]


async def test_models_that_are_listed_before_the_agents_are_not_taken_for_those_of_the_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(project_calls, "OPENING_INTERVAL_SECONDS", 0.01)
    server, free = StoredServer(), {**MODEL, "id": "free"}
    states: list[dict[str, list[dict[str, object]]]] = [
        {"model": [free]},
        {"agent": [AGENT], "model": [free]},
        {"agent": [AGENT], "model": [MODEL]},
        {"agent": [AGENT], "model": [MODEL]},
    ]

    async def step(request: HttpRequest, *, timeout: float = 0, queued: bool = True) -> Reply:
        if request.path.endswith("/agent") and states:
            server.lists = states.pop(0)
        return await StoredServer.send(server, request, timeout=timeout, queued=queued)

    monkeypatch.setattr(server, "send", step)
    with anyio.fail_after(SECONDS):
        await server.calls().used_providers(PROJECT)
    assert states == []
    assert server.directory_lists[PROJECT].has_models


async def test_lists_that_a_change_has_emptied_are_waited_for() -> None:
    server = StoredServer(lists={"agent": [AGENT], "model": [MODEL]})
    await agents_of(server)
    server.directory_lists[PROJECT].note_change()
    server.lists.clear()
    found: list[str] = []

    async def look() -> None:
        found.extend(await agents_of(server))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        await anyio.wait_all_tasks_blocked()
        assert found == []
        server.lists |= {"agent": [AGENT], "model": [MODEL]}
    assert found == ["build"]

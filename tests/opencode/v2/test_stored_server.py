"""Calls of OpenCode 2 where replies are lost, and where pages of messages are cut at any place."""

import pytest

from opencode_mcp.errors import BackendFailed, BackendTimeout, BackendUnavailable, BridgeError, NotFound, Unauthorized
from opencode_mcp.opencode.v2.calls import message_calls
from opencode_mcp.opencode.v2.calls.message_calls import PAGES_OF_A_TURN
from opencode_mcp.opencode.v2.calls.session_calls import MOST_PAGES
from opencode_mcp.opencode.vocabulary.selection import SessionFilter
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.runs.prompting.sending import may_have_arrived
from tests.opencode.v2.lists import SESSION, idle, prompt, read, said, step
from tests.opencode.v2.stored_server import StoredServer

pytestmark = pytest.mark.anyio

LOST = BackendUnavailable("The connection broke.", sent=True)
SLOW = BackendTimeout("It did not answer in time.")
GONE = BackendUnavailable("Nothing answers.", sent=False)
STARTING = BackendFailed("It is starting.", status=503)
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


@pytest.mark.parametrize("second", [GONE, LOST, SLOW, STARTING, Unauthorized("The password was changed.")])
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

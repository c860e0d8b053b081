"""One stream, many listeners: each gets the events of its session and its subagents, and none can slow another."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager

import anyio
import httpx
import pytest

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.events import hub as hub_module
from opencode_mcp.events import reconnecting_stream, session_parents
from opencode_mcp.events.hub import EVERYTHING, Hub, Listener
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Gap,
    Idle,
    Lost,
    MessageChanged,
    PartGrew,
    PermissionAsked,
    ProjectChanged,
    QuestionAsked,
    SessionChanged,
    SessionDeleted,
    StatusChanged,
)
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission
from tests.harness.faults.proxy import Proxy
from tests.harness.servers.model import ScriptedModel
from tests.scripted_model.script import Action, Step, hold, question, script, step, text, words
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 60
SES = "ses_1"


@asynccontextmanager
async def running_hub(endpoint: Endpoint) -> AsyncGenerator[Hub]:
    with anyio.fail_after(SECONDS):
        async with aclosing(Connection(Route(endpoint))) as connection, anyio.create_task_group() as tasks:
            yield Hub(connection, tasks)
            tasks.cancel_scope.cancel()


@pytest.fixture
async def hub(endpoint: Endpoint, http: httpx.AsyncClient) -> AsyncGenerator[Hub]:
    """A hub whose stream goes through the proxy and is connected."""
    async with running_hub(endpoint) as made:
        await made.ensure()
        await wait_until_connected(made, http)
        yield made


async def wait_until_connected(hub: Hub, http: httpx.AsyncClient) -> None:
    """Wait until events really come: OpenCode says so some milliseconds earlier."""
    with hub.listen(EVERYTHING) as listener:
        while not any(isinstance(event, SessionChanged) for event in await listener.wait(0.1)):
            await make_session(http)


async def events_until(listener: Listener, wanted: Callable[[Event], bool]) -> list[Event]:
    """Collect events up to one that is wanted."""
    received: list[Event] = []
    while not any(map(wanted, received)):
        received += await listener.wait(SECONDS)
    return received


def is_kind(*kinds: type[Event]) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, kinds)


async def make_session(http: httpx.AsyncClient, **body: str) -> str:
    return (await http.post("/session", json=body)).raise_for_status().json()["id"]


async def prompt(http: httpx.AsyncClient, session_id: str, *actions: Action | Step) -> None:
    body = {"parts": [{"type": "text", "text": script(*actions)}]}
    (await http.post(f"/session/{session_id}/prompt_async", json=body)).raise_for_status()


# A listener by itself


async def test_a_listener_gives_all_that_waits_at_once_and_in_order() -> None:
    listener = Listener()
    listener.put(Idle("ses_1"))
    listener.put(Idle("ses_2"))
    assert await listener.wait(SECONDS) == [Idle("ses_1"), Idle("ses_2")]
    assert listener.take() == []


async def test_a_listener_waits_no_longer_than_asked() -> None:
    with anyio.fail_after(SECONDS):
        assert await Listener().wait(0.01) == []
        assert await Listener().wait(-1) == []


async def test_a_listener_that_waits_wakes_at_the_first_event() -> None:
    listener = Listener()

    async def put() -> None:
        listener.put(Idle(SES))

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(put)
            assert await listener.wait(10 * SECONDS) == [Idle(SES)]


async def test_a_full_backlog_becomes_one_gap_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "BACKLOG_EVENTS", 3)
    listener = Listener()
    for number in range(5):
        listener.put(Idle(f"ses_{number}"))
    assert listener.take() == [Gap("ses_3"), Idle("ses_4")]


# The hub with a real stream


async def test_it_is_notified_of_the_session_and_of_no_other(hub: Hub, http: httpx.AsyncClient) -> None:
    mine, other = await make_session(http), await make_session(http)
    with hub.listen(mine) as listener:
        await prompt(http, other, text("Not for you."))
        await prompt(http, mine, text("For you."))
        received = await events_until(listener, is_kind(Idle))
    assert {event.session_id for event in received} == {mine}


async def test_every_event_of_a_session_names_the_directory_that_it_is_about(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    directory = (await http.get(f"/session/{session}")).raise_for_status().json()["directory"]
    with hub.listen(session) as listener:
        await prompt(http, session, text("Hello."))
        received = await events_until(listener, is_kind(Idle))
    assert {event.place for event in received} == {directory}


async def test_parents_receive_events_of_their_subagents_sessions(hub: Hub, http: httpx.AsyncClient) -> None:
    root = await make_session(http)
    with hub.listen(root) as listener:
        child = await make_session(http, parentID=root)
        grandchild = await make_session(http, parentID=child)
        await prompt(http, grandchild, text("Deep down."))
        received = await events_until(listener, is_kind(Idle))
    assert Idle(grandchild) in received
    assert hub.lineage(grandchild) == [grandchild, child, root]
    assert hub.lineage(child) == [child, root]


async def test_all_listeners_of_a_session_receive_the_same_events(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as one, hub.listen(session) as other:
        await prompt(http, session, text("For all."))
        received = await events_until(one, is_kind(Idle))
        assert await events_until(other, is_kind(Idle)) == received


async def test_a_listener_that_lags_is_notified_of_a_gap_and_slows_nobody(
    hub: Hub, http: httpx.AsyncClient, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "BACKLOG_EVENTS", 80)
    session = await make_session(http)
    gates = [f"{session} {number}" for number in range(3)]
    bursts = [action for gate in gates for action in (words(50), hold(gate))]
    received: list[Event] = []
    with hub.listen(session) as lagging, hub.listen(session) as attentive:
        await prompt(http, session, step(*bursts))
        for gate in gates:
            received += await events_until(
                attentive, lambda event: isinstance(event, PartGrew) and "word49" in event.delta
            )
            await scripted_model.release(gate)
        received += await events_until(attentive, is_kind(Idle))
        late = lagging.take()
    assert not any(isinstance(event, Gap) for event in received)
    assert len([event for event in received if isinstance(event, PartGrew)]) > 80
    assert isinstance(late[0], Gap)
    assert len(late) <= 80


async def test_after_the_block_nothing_more_is_kept_for_a_listener(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as former:
        pass
    with hub.listen(session) as present:
        await prompt(http, session, text("Too late."))
        await events_until(present, is_kind(Idle))
    assert former.take() == []


async def test_it_folds_what_it_receives_into_the_sessions_state(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as listener:
        await prompt(http, session, question("Which?", "Red", "Blue"))
        await events_until(listener, is_kind(QuestionAsked))
        state = hub.state(session)
        assert state.status
        (asked,) = hub.asked()
        assert asked.session_id == session
        await http.post(f"/question/{asked.id}/reject")
        await events_until(listener, is_kind(Idle))
    assert hub.asked() == []


async def test_a_cut_is_a_gap_for_all_and_what_may_be_untrue_is_forgotten(
    hub: Hub, proxy: Proxy, http: httpx.AsyncClient
) -> None:
    session, other = await make_session(http), await make_session(http)
    with hub.listen(session) as listener, hub.listen(other) as bystander:
        await prompt(http, session, hold(session))
        await events_until(listener, is_kind(StatusChanged))
        assert hub.state(session).status
        await proxy.cut()
        await events_until(listener, is_kind(Gap))
        await events_until(bystander, is_kind(Gap))
        assert hub.state(session).status is None
        await wait_until_connected(hub, http)
        await http.post(f"/session/{session}/abort")
        await events_until(listener, is_kind(Idle))


async def test_a_disposed_instance_is_a_gap_for_all(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as listener:
        await http.post("/instance/dispose")
        assert Gap("") in await events_until(listener, is_kind(Gap))


async def test_a_deleted_session_is_forgotten(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as listener:
        await prompt(http, session, text("Soon gone."))
        await events_until(listener, is_kind(Idle))
        before = hub.state(session)
        await http.delete(f"/session/{session}")
        await events_until(listener, is_kind(SessionDeleted))
    assert hub.state(session) is not before


async def test_when_opencode_is_gone_all_are_reported_and_the_next_need_looks_again(
    hub: Hub, proxy: Proxy, http: httpx.AsyncClient
) -> None:
    session = await make_session(http)
    with hub.listen(session) as listener:
        await proxy.refuse()
        received = await events_until(listener, is_kind(Lost))
        assert any(isinstance(event, Lost) and proxy.url in event.reason for event in received)
        with pytest.raises(BackendUnavailable):
            await hub.ensure()
        proxy.accept()
        await hub.ensure()
        await wait_until_connected(hub, http)
        await prompt(http, session, text("Back again."))
        await events_until(listener, is_kind(Idle))


@pytest.mark.parametrize("endpoint", [False, True], ids=["server", "service"], indirect=True)
async def test_a_session_at_work_is_silent_after_an_outage_until_something_happens_in_it(
    hub: Hub, http: httpx.AsyncClient, proxy: Proxy, scripted_model: ScriptedModel
) -> None:
    session_id = await make_session(http)
    with hub.listen(session_id) as listener:
        await prompt(http, session_id, step(text("Half. "), hold("outage"), text("Whole.")))
        await scripted_model.reached("outage")
        await events_until(listener, is_kind(PartGrew))
        working_on = hub.state(session_id).working_on
        assert working_on
        await proxy.refuse()
        await events_until(listener, is_kind(Lost))
        assert hub.interrupted.silent_seconds(session_id, working_on) == 0
        proxy.accept()
        await hub.ensure()
        assert hub.interrupted.silent_seconds(session_id, working_on) > 0
        assert hub.interrupted.silent_seconds(session_id, "msg_other") == 0
        assert not hub.interrupted.has_ended(working_on)
        await scripted_model.release("outage")
        await events_until(listener, is_kind(Idle))
    assert hub.interrupted.silent_seconds(session_id, working_on) == 0


async def test_many_needs_at_once_open_one_stream(hub: Hub, http: httpx.AsyncClient) -> None:
    session = await make_session(http)
    with hub.listen(session) as listener:
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(hub.ensure)
        await prompt(http, session, text("Once."))
        received = await events_until(listener, is_kind(Idle))
    assert sum(isinstance(event, PartGrew) for event in received) == 1


async def test_a_stream_that_never_connects_is_reported_in_time(
    endpoint: Endpoint, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "CONNECT_TIMEOUT_SECONDS", 0.2)
    proxy.stall()
    async with running_hub(endpoint) as made:
        with pytest.raises(BackendUnavailable, match=proxy.url):
            await made.ensure()


async def test_sessions_that_are_each_others_parents_end_the_line(endpoint: Endpoint) -> None:
    async with running_hub(endpoint) as made:
        made.adopt("ses_1", "ses_2")
        made.adopt("ses_2", "ses_1")
        assert made.lineage("ses_1") == ["ses_1", "ses_2"]


async def test_only_so_many_sessions_are_remembered(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "REMEMBERED_SESSIONS", 3)
    monkeypatch.setattr(session_parents, "SESSIONS_KEPT", 3)
    async with running_hub(endpoint) as made:
        states = [made.kept_state(f"ses_{number}") for number in range(3)]
        assert made.kept_state("ses_0") is states[0]
        made.kept_state("ses_3")
        assert made.kept_state("ses_0") is states[0], "it was asked for last of the first three"
        assert made.kept_state("ses_1") is not states[1]
        for number in range(5):
            made.adopt(f"ses_child{number}", "ses_root")
        known = [number for number in range(5) if len(made.lineage(f"ses_child{number}")) > 1]
        assert known == [2, 3, 4]


@pytest.mark.parametrize("reopened", [True, False])
async def test_a_directory_that_opencode_opens_anew_has_its_lists_read_again(
    monkeypatch: pytest.MonkeyPatch,
    reopened: bool,  # noqa: FBT001
) -> None:
    change = ProjectChanged("", commands=True, reopened=reopened, reported_directory="/p")
    listening = anyio.Event()

    async def follow(_client: OpenCodeClient, _gone_seconds: float) -> AsyncGenerator[Event]:
        yield Gap("")
        await listening.wait()
        yield change
        await anyio.sleep_forever()

    monkeypatch.setattr(reconnecting_stream, "follow_stream", follow)
    async with running_hub(Endpoint(url="http://127.0.0.1:1", generation=2)) as hub:
        transport = await hub.ensure()
        lists = transport.directory_lists["/p"] = DirectoryLists(is_complete=True)
        with hub.listen(EVERYTHING) as listener:
            listening.set()
            received = await events_until(listener, is_kind(ProjectChanged))
    assert received == [change]
    assert lists.is_complete is not reopened


async def test_the_time_of_waiting_outlives_a_gap_and_goes_on_when_the_request_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = Permission.read({"id": "per_1", "sessionID": SES, "permission": "bash"})
    prompt = MessageInfo(id="msg_1", session_id=SES, role="user")
    listening = anyio.Event()

    async def follow(_client: OpenCodeClient, _gone_seconds: float) -> AsyncGenerator[Event]:
        yield Gap("")
        await listening.wait()
        yield MessageChanged(SES, prompt)
        yield PermissionAsked(SES, request)
        yield Gap("")
        yield Idle(SES)
        await anyio.sleep_forever()

    monkeypatch.setattr(reconnecting_stream, "follow_stream", follow)
    async with running_hub(Endpoint(url="http://127.0.0.1:1")) as hub:
        await hub.ensure()
        with hub.listen(SES) as listener:
            listening.set()
            await events_until(listener, is_kind(Idle))
        waits = hub.answer_waits
        before = waits.seconds("msg_1", 1e9)
        assert before is not None
        assert before < SECONDS, "it is not counted while it is not known to be open"
        hub.note_open(request, 1e9)
        assert waits.seconds("msg_1", 1e9 + 5) == pytest.approx(before + 5)
        assert not waits.is_whole("msg_1")


async def test_reading_the_state_of_an_unknown_session_keeps_nothing() -> None:
    async with running_hub(Endpoint(url="http://127.0.0.1:1")) as hub:
        hub.state(SES).title = "read only"
        assert not hub.state(SES).title
        hub.kept_state(SES).title = "kept"
        assert hub.state(SES).title == "kept"

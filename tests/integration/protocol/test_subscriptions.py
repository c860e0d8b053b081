"""Subscribers are notified of changed resources and lists, in both protocol eras: not too often, and not afterwards."""

import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND

from opencode_mcp.server import uris
from tests.harness.bridges.bridge import Era
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.notifications import (
    PROMPTS_CHANGED,
    RESOURCES_CHANGED,
    host_of,
    list_notified,
    notification_count,
    subscribe,
    wait_for_notification,
)
from tests.harness.bridges.rawrpc import RawClient, open_raw
from tests.harness.faults.proxy import proxy_to
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.project_uri import project_uri
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import bash, hold, script, step, task, text, todos, words, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

Json = dict[str, Any]
A_SECOND = 4
Found = TypeVar("Found")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of all tests here; each has a session of its own."""
    directory = make_project(tmp_path_factory.mktemp("place"))
    configure(directory, SNAPSHOTS)
    return directory


@pytest.fixture(scope="module")
def place_launch(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode, place: Path
) -> Launch:
    return attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, place)


@pytest.fixture(scope="module")
async def client(place_launch: Launch, era: Era) -> AsyncGenerator[RawClient]:
    """A host that is connected for all tests of an era, and has made the bridge reach OpenCode."""
    async with open_raw(place_launch, host_of(era)) as opened:
        await opened.call("opencode_status")
        yield opened


@pytest.fixture
async def opencode(opencode_server: OpenCode, place: Path) -> AsyncGenerator[Backend]:
    """OpenCode beside the bridge, as a terminal of the person's would use it."""
    async with backend(opencode_server, place) as opened:
        yield opened


@pytest.fixture
async def session(opencode: Backend) -> str:
    return await opencode.create_session()


async def read_text(client: RawClient, uri: str) -> str:
    return (await client.request("resources/read", {"uri": uri}))["result"]["contents"][0]["text"]


async def read_until(client: RawClient, uri: str, wanted: Callable[[str], Found]) -> Found:
    """Read a resource at each notification, until it shows what is wanted."""
    with anyio.fail_after(60):
        while True:
            before = notification_count(client, uri)
            if found := wanted(await read_text(client, uri)):
                return found
            await wait_for_notification(client, uri, more_than=before)


def shown(name: str) -> Callable[[str], list[Json]]:
    """Return a function that reads one list out of a resource in JSON."""
    return lambda content: json.loads(content).get(name, [])


# Notifications


@pytest.mark.both_generations
async def test_a_subscriber_is_notified_of_all_that_a_prompt_changes(
    client: RawClient, opencode: Backend, session: str
) -> None:
    addresses = [
        uris.session(session),
        uris.transcript(session),
        uris.diff(session),
        uris.file("heard.txt"),
        uris.SESSIONS,
        uris.PROJECT,
    ]
    unsubscribe = await subscribe(client, *addresses)
    before = {uri: notification_count(client, uri) for uri in addresses}
    await opencode.run(session, script(step(write("heard.txt", f"{session}\n")), text("Done.")))
    for uri in addresses:
        await wait_for_notification(client, uri, more_than=before[uri])
    await unsubscribe()


@pytest.mark.both_generations
async def test_a_subscriber_is_notified_of_a_message_and_of_its_run_to_their_end(
    client: RawClient, opencode: Backend, session: str, scripted_model: ScriptedModel
) -> None:
    # OpenCode 2 adds the answer to the session when the model begins to write.
    await opencode.prompt(session, script(step(text("Held. "), hold(session), text("Released."))))
    await scripted_model.reached(session)

    async def begun() -> list[str]:
        messages = await opencode.message_ids(session)
        return messages if len(messages) == 2 else []

    asked, answer = await eventually(begun)
    unsubscribe = await subscribe(client, uris.message(session, answer), uris.run(session, asked))
    await scripted_model.release(session)
    await wait_for_notification(client, uris.message(session, answer))

    await read_until(client, uris.run(session, asked), lambda report: report.startswith("completed"))
    await unsubscribe()


@pytest.mark.both_generations
async def test_a_change_of_a_page_is_reported_under_the_address_that_was_subscribed_to(
    client: RawClient, opencode: Backend, session: str
) -> None:
    page = uris.transcript(session, limit="3", show="everything")
    unsubscribe = await subscribe(client, page)
    await opencode.run(session, script(text("Heard.")))
    await wait_for_notification(client, page)
    assert notification_count(client, uris.transcript(session)) == 0
    await unsubscribe()


@pytest.mark.both_generations
async def test_a_parent_is_notified_when_a_subagent_begins_and_the_subagent_can_be_subscribed_to(
    client: RawClient, opencode: Backend, session: str, scripted_model: ScriptedModel
) -> None:
    unsubscribe = await subscribe(client, uris.session(session))
    below = script(hold(session), text("Below."))
    await opencode.prompt(session, script(task(below), text("Above.")))
    await scripted_model.reached(session)

    (child,) = await read_until(client, uris.session(session), shown("children"))
    unsubscribe_child = await subscribe(client, uris.transcript(child["session_id"]))
    await scripted_model.release(session)
    await wait_for_notification(client, uris.transcript(child["session_id"]))
    await unsubscribe()
    await unsubscribe_child()


@pytest.mark.both_generations
async def test_a_parent_is_notified_when_its_subagent_asks(
    opencode_server: OpenCode, place_launch: Launch, project: Path, era: Era
) -> None:
    configure(project, {"permission": {"bash": "ask"}})
    launch = place_launch.with_flags("--directory", str(project))
    async with backend(opencode_server, project) as opencode, open_raw(launch, host_of(era)) as client:
        session = await opencode.create_session()
        unsubscribe = await subscribe(client, uris.session(session))
        await opencode.prompt(session, script(task(script(bash("echo asked"), text("Below."))), text("Above.")))
        (request,) = await read_until(client, uris.session(session), shown("pending"))
        assert (request["kind"], request["subagent"]) == ("permission", True)
        await unsubscribe()


# How often


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_a_resource_is_notified_at_most_four_times_a_second(
    client: RawClient, opencode: Backend, session: str
) -> None:
    uri = uris.transcript(session)
    began = anyio.current_time()
    unsubscribe = await subscribe(client, uri)
    await opencode.run(session, script(words(300, delay=0.01)))
    await wait_for_notification(client, uri, more_than=2)
    await unsubscribe()
    assert notification_count(client, uri) <= A_SECOND * (anyio.current_time() - began) + 1


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_many_new_sessions_are_reported_together(client: RawClient, opencode: Backend) -> None:
    unsubscribe = await subscribe(client)
    before, began = len(client.messages(RESOURCES_CHANGED)), anyio.current_time()
    made = [await opencode.create_session() for _ in range(60)]
    await list_notified(client, RESOURCES_CHANGED, more_than=before)
    for session in made:
        await opencode.delete(session)
    await list_notified(client, RESOURCES_CHANGED, more_than=before + 1)
    await unsubscribe()
    count = len(client.messages(RESOURCES_CHANGED)) - before
    assert count <= A_SECOND * (anyio.current_time() - began) + 1


# How long


@pytest.mark.both_generations
async def test_nothing_is_received_after_unsubscribing(client: RawClient, opencode: Backend, session: str) -> None:
    other = await opencode.create_session()
    unsubscribe = await subscribe(client, uris.transcript(session))
    stay = await subscribe(client, uris.transcript(other))
    await opencode.prompt(session, script(words(400, delay=0.01)))
    await wait_for_notification(client, uris.transcript(session))
    await unsubscribe()
    before = notification_count(client, uris.transcript(session))
    await opencode.run(session, script(text("More.")))
    await opencode.run(other, script(text("Heard.")))
    await wait_for_notification(client, uris.transcript(other))
    assert notification_count(client, uris.transcript(session)) == before
    await stay()


async def test_one_of_several_subscriptions_can_be_given_up(client: RawClient, opencode: Backend, session: str) -> None:
    unsubscribe_transcript = await subscribe(client, uris.transcript(session))
    unsubscribe_todos = await subscribe(client, uris.todo(session))
    await unsubscribe_transcript()
    before, todos_before = (
        notification_count(client, uris.transcript(session)),
        notification_count(client, uris.todo(session)),
    )
    await opencode.run(session, script(todos(("stay", "pending")), text("Listed.")))
    await wait_for_notification(client, uris.todo(session), more_than=todos_before)
    assert notification_count(client, uris.transcript(session)) == before
    await unsubscribe_todos()


# Lists


@pytest.mark.both_generations
async def test_sessions_that_come_and_go_and_change_their_titles_change_the_list(
    client: RawClient, opencode: Backend
) -> None:
    unsubscribe = await subscribe(client)
    before = len(client.messages(RESOURCES_CHANGED))
    session = await opencode.create_session()
    before = await list_notified(client, RESOURCES_CHANGED, more_than=before)
    await opencode.rename(session, "Another title")
    before = await list_notified(client, RESOURCES_CHANGED, more_than=before)
    await opencode.delete(session)
    await list_notified(client, RESOURCES_CHANGED, more_than=before)
    await unsubscribe()


async def test_the_first_use_of_opencode_makes_the_lists_grow_and_reports_so(own_launch: Launch, era: Era) -> None:
    async with open_raw(own_launch, host_of(era)) as client:
        unsubscribe = await subscribe(client)
        before = await names(client, "prompts")
        await client.call("opencode_status")
        await list_notified(client, PROMPTS_CHANGED)
        await list_notified(client, RESOURCES_CHANGED)
        assert set(await names(client, "prompts")) > {*before, "init"}
        await unsubscribe()


async def names(client: RawClient, kind: str) -> list[str]:
    """The names of what is listed."""
    return [item["name"] for item in (await client.request(f"{kind}/list"))["result"][kind]]


@pytest.mark.both_generations
async def test_commands_that_opencode_reads_anew_change_the_prompts(
    client: RawClient, opencode: Backend, place: Path, era: Era
) -> None:
    unsubscribe = await subscribe(client)
    assert "init" in await names(client, "prompts")
    before = len(client.messages(PROMPTS_CHANGED))
    folder = place / ".opencode" / "command"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"late{era}.md").write_text("Do this late.\n", encoding="utf-8")
    await opencode.dispose()
    await list_notified(client, PROMPTS_CHANGED, more_than=before)

    async def listed() -> bool:
        # OpenCode 2 reads the files when the directory is used again, which may take longer than a list waits.
        return f"late{era}" in await names(client, "prompts")

    await eventually(listed, seconds=60)
    await unsubscribe()


# The notifications of a host about all this


async def test_the_handshake_says_that_resources_can_be_subscribed_to(place_launch: Launch, era: Era) -> None:
    async with open_raw(place_launch, host_of(era)) as client:
        capabilities = (await client.handshake() if client.host.modern else await initialized(client))["capabilities"]
    assert capabilities["resources"] == {"subscribe": True, "listChanged": True}
    assert capabilities["prompts"] == {"listChanged": True}


async def initialized(client: RawClient) -> Json:
    """Send ``initialize`` again, as a host of the 2025 era, and return the result."""
    params = {"protocolVersion": client.host.protocol, "capabilities": {}, "clientInfo": client.host.info}
    return (await client.request("initialize", params))["result"]


async def test_a_subscription_to_nothing_is_refused(place_launch: Launch) -> None:
    async with open_raw(place_launch, host_of("2025")) as client:
        for params in ({}, {"uri": ""}):
            reply = await client.request("resources/subscribe", params)
            assert reply["error"]["code"] == -32602
        reply = await client.request("resources/unsubscribe", {"uri": uris.transcript("ses_never")})
        assert reply["result"] == {}


# Broken streams


@pytest.mark.both_generations
async def test_a_gap_in_opencodes_events_is_reported_as_a_change(
    place_launch: Launch, opencode_server: OpenCode, session: str, era: Era
) -> None:
    async with (
        proxy_to(opencode_server.url) as proxy,
        open_raw(place_launch.within(OPENCODE_MCP_URL=proxy.url), host_of(era)) as client,
    ):
        unsubscribe = await subscribe(client, uris.transcript(session))
        before = notification_count(client, uris.transcript(session))
        await proxy.cut()
        await wait_for_notification(client, uris.transcript(session), more_than=before)
        await unsubscribe()


@pytest.mark.both_generations
async def test_who_subscribes_while_opencode_is_away_is_notified_once_it_is_there(
    place_launch: Launch, opencode_server: OpenCode, opencode: Backend, session: str, era: Era
) -> None:
    uri = uris.transcript(session)
    async with proxy_to(opencode_server.url) as proxy:
        await proxy.refuse()
        async with open_raw(place_launch.within(OPENCODE_MCP_URL=proxy.url), host_of(era)) as client:
            unsubscribe = await subscribe(client, uri)
            proxy.accept()
            result = await wait_for_notification(client, uri)
            await opencode.run(session, script(text("There.")))
            await wait_for_notification(client, uri, more_than=result)
            await unsubscribe()


@pytest.mark.both_generations
async def test_subscribers_are_notified_again_once_an_opencode_that_was_gone_is_back(
    place_launch: Launch, opencode_server: OpenCode, opencode: Backend, session: str, era: Era
) -> None:
    uri = uris.transcript(session)
    async with proxy_to(opencode_server.url) as proxy:
        launch = place_launch.within(OPENCODE_MCP_URL=proxy.url, OPENCODE_MCP_LOG_LEVEL="warning")
        async with open_raw(launch, host_of(era)) as client:
            unsubscribe = await subscribe(client, uri)
            before = notification_count(client, uri)
            gone = launch.printed().count("OpenCode is gone")
            await proxy.refuse()

            async def noticed() -> bool:
                return launch.printed().count("OpenCode is gone") > gone

            await eventually(noticed)
            proxy.accept()
            result = await wait_for_notification(client, uri, more_than=before)
            await opencode.run(session, script(text("Back.")))
            await wait_for_notification(client, uri, more_than=result)
            await unsubscribe()


WRONG_STREAMS: list[object] = [5, "all", [], {"resourceSubscriptions": 5}, {"resourceSubscriptions": {"a": 1}}]


@pytest.mark.parametrize("wanted", WRONG_STREAMS, ids=str)
async def test_a_stream_that_is_asked_for_in_a_wrong_form_is_refused(client: RawClient, wanted: object) -> None:
    error = (await client.request("subscriptions/listen", {"notifications": wanted}))["error"]
    # A client of the older era may not ask for a stream in any form.
    assert error["code"] == (INVALID_PARAMS if client.host.modern else METHOD_NOT_FOUND), error
    assert "object has no attribute" not in error["message"]
    assert "not iterable" not in error["message"]


async def refusal(client: RawClient, uri: str) -> Json:
    """The error with which a subscription is refused."""
    if client.host.modern:
        params = {"notifications": {"resourceSubscriptions": [uris.SESSIONS, uri]}}
        return (await client.request("subscriptions/listen", params))["error"]
    return (await client.request("resources/subscribe", {"uri": uri}))["error"]


@pytest.mark.both_generations
async def test_what_lies_outside_of_the_allowed_directories_is_not_subscribed_to(
    client: RawClient, opencode_server: OpenCode, tmp_path: Path
) -> None:
    elsewhere = make_project(tmp_path / "elsewhere")
    async with backend(opencode_server, elsewhere) as outside:
        foreign = await outside.create_session()
        about = [uris.session(foreign), uris.transcript(foreign), uris.run(foreign, "msg_1")]
        for uri in (*about, uris.file("x", str(elsewhere)), project_uri(str(elsewhere))):
            error = await refusal(client, uri)
            assert error["code"] == INVALID_PARAMS
            assert "outside of what is allowed" in error["message"]

"""The event stream of a real OpenCode 2, through the hub: runs of many kinds at once, and what is known of them."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from opencode import AsyncOpencode

from opencode_mcp.events.hub import EVERYTHING, Hub, Listener
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.v2.event_parsing.event_parser import PARSERS, EventParser2
from opencode_mcp.opencode.vocabulary.backend_events import Event, Gap, Idle
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.opencode.vocabulary.wire.shared_values import ABORTED_ERROR
from tests.harness.faults.proxy import Proxy, proxy_to
from tests.harness.opencode2.driving import LIMIT, form, permission, prompt, prompt_of
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.scripted_model.opencode2 import question, shell, subagent
from tests.scripted_model.script import failure, hold, script, step, text
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LEFT_OUT = frozenset(
    {
        "server.connected",
        "session.inbox.enqueued",
        "session.instructions.updated",
        "session.tool.input.delta",
        "session.tool.input.ended",
        "shell.created",
        "shell.exited",
        # A project's agents, models and so on are read when they are needed.
        *(f"{name}.updated" for name in ("agent", "command", "config", "credential", "integration", "model")),
        *(f"{name}.updated" for name in ("plugin", "project", "provider", "reference", "skill", "websearch")),
        "mcp.status.changed",
    }
)
"""Types of events that become nothing on purpose."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the stream, and its events."""

    kind: str
    events: list[Event]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """The lines of the stream, as they are parsed."""
    found: list[Line] = []
    parse = EventParser2.parse

    def keep(self: EventParser2, data: str) -> list[Event]:
        events = parse(self, data)
        found.append(Line(json.loads(data)["type"], events))
        return events

    monkeypatch.setattr(EventParser2, "parse", keep)
    return found


@pytest.fixture
async def proxy(opencode2: OpenCode2) -> AsyncGenerator[Proxy]:
    async with proxy_to(opencode2.url) as between:
        yield between


@pytest.fixture
async def hub(opencode2: OpenCode2, proxy: Proxy) -> AsyncGenerator[Hub]:
    """A hub that follows OpenCode 2 through the proxy."""
    endpoint = Endpoint(url=proxy.url, password=opencode2.password, generation=2)
    with anyio.fail_after(3 * LIMIT):
        async with aclosing(Connection(Route(endpoint))) as connection, anyio.create_task_group() as tasks:
            hub = Hub(connection, tasks)
            await hub.ensure()
            yield hub
            tasks.cancel_scope.cancel()


@pytest.fixture
async def client(opencode2: OpenCode2, shared_project: Path) -> AsyncGenerator[AsyncOpencode]:
    async with AsyncOpencode(
        opencode2.url, password=opencode2.password, directory=shared_project, timeout=LIMIT
    ) as client:
        yield client


async def until(listener: Listener, wanted: Callable[[Event], bool]) -> Event:
    """Wait for an event."""
    while events := await listener.wait(LIMIT):
        for event in events:
            if wanted(event):
                return event
    raise TimeoutError("The event did not come.")


async def ended(listener: Listener, sessions: set[str]) -> None:
    """Wait until each of the sessions was idle once."""
    waiting = set(sessions)
    while waiting:
        events = await listener.wait(LIMIT)
        assert events, f"no end of {waiting}"
        waiting -= {event.session_id for event in events if isinstance(event, Idle)}


async def start(client: AsyncOpencode, held: str, stopped: str) -> dict[str, str]:
    """Start a run of each kind; returns the sessions by kind."""
    nested = script(text("The child is done."), say="Do the small part")
    retried = step(failure(500, "Not now", times=1), subagent(nested))
    scripts = {
        "written": script(step(text("Once "), hold(held), text("upon")), say="Tell a story"),
        "tools": script(step(shell("echo a > one.txt"), shell("echo b")), text("Done.")),
        "failed": script(failure(401, "Invalid API key")),
        "asked": script(question("Which colour?", "Red", "Blue"), text("Thanks.")),
        "aborted": script(step(text("Before. "), hold(stopped), text("After."))),
        "parent": script(retried, text("All parts are done.")),
    }
    runs = {kind: await prompt(client, words) for kind, words in scripts.items()}
    return runs | {"rejected": await prompt(client, script(shell("echo no > no.txt")), agent="asking")}


async def draft_is(hub: Hub, session: str, words: str) -> bool:
    draft = hub.state(session).draft
    return draft is not None and draft.text == words


async def title_is(hub: Hub, session: str, title: str) -> bool:
    return hub.state(session).title == title


async def assert_idle(hub: Hub, client: AsyncOpencode, session: str) -> None:
    """Check that the prompt of an ended run is known, and nothing that it left behind."""
    state = hub.state(session)
    assert (state.status, state.working_on, state.draft) == (None, "", None)
    assert list(state.prompts) == [await prompt_of(client, session)]


def errors_of(hub: Hub, runs: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    """List the name of the error and the status of each failed run."""
    found = {kind: hub.state(session).error for kind, session in runs.items()}
    return {kind: (error.name, error.data.get("statusCode")) for kind, error in found.items() if error}


async def test_runs_of_many_kinds_are_known_from_the_stream(
    lines: list[Line], hub: Hub, client: AsyncOpencode, scripted_model: ScriptedModel
) -> None:
    held, stopped = uuid4().hex, uuid4().hex
    with hub.listen(EVERYTHING) as listener:
        runs = await start(client, held, stopped)
        written, rejected, asked = runs["written"], runs["rejected"], runs["asked"]
        await eventually(lambda: draft_is(hub, written, "Once "), seconds=LIMIT)
        assert hub.state(written).working_on == await prompt_of(client, written)
        assert hub.state(written).status == SessionStatus(type="busy")
        await scripted_model.release(held)
        await client.permission.reply(rejected, await permission(client, rejected), decision="reject")
        await client.session.form.reply(asked, await form(client, asked), answer={"q0": "Blue"})
        await scripted_model.reached(stopped)
        await client.session.interrupt(runs["aborted"])
        await ended(listener, set(runs.values()))
    children = [info.id for info in (await client.session.list(parent_id=runs["parent"])).data]

    assert hub.state(runs["parent"]).children == children
    assert len(children) == 1
    for session in (*runs.values(), *children):
        await assert_idle(hub, client, session)
    assert errors_of(hub, runs) == {"failed": ("provider.auth", 401), "aborted": (ABORTED_ERROR, None)}
    assert hub.asked() == []
    await eventually(lambda: title_is(hub, written, "Tell a story"), seconds=LIMIT)

    assert {line.kind for line in lines} <= {*PARSERS, *LEFT_OUT}
    assert {line.kind for line in lines if not line.events} <= LEFT_OUT
    assert len({event.place for line in lines for event in line.events}) == 1


async def test_after_a_cut_the_end_of_a_run_is_known_and_nothing_that_may_have_changed(
    hub: Hub, proxy: Proxy, client: AsyncOpencode, scripted_model: ScriptedModel, shared_project: Path
) -> None:
    held = uuid4().hex
    with hub.listen(EVERYTHING) as listener:
        session = await prompt(client, script(step(text("Once "), hold(held), text("upon"))))
        await eventually(lambda: draft_is(hub, session, "Once "), seconds=LIMIT)
        listener.take()
        await proxy.cut()
        await until(listener, lambda event: isinstance(event, Gap))
        state = hub.state(session)
        assert (state.status, state.working_on, state.draft) == (None, "", None)
        await scripted_model.release(held)
        idle = await until(listener, lambda event: isinstance(event, Idle) and event.session_id == session)
    assert idle.place == str(shared_project)
    assert state.error is None
    await assert_idle(hub, client, session)

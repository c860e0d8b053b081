"""OpenCode's events become notifications: to the right clients, together and not too often."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.events.hub import BACKLOG_EVENTS, Hub, Listener
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Gap,
    Idle,
    PartGrew,
    ProjectChanged,
    SessionChanged,
    SessionDeleted,
    TodosChanged,
)
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.server import uris
from opencode_mcp.server.notifications.publisher import Publisher
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.settings import Settings
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio

SES = "ses_1"
TRANSCRIPT = uris.transcript(SES)
SECONDS = 30


class QuietHub(Hub):
    """A hub that delivers only the events of a test, and counts how often it is asked."""

    def __init__(self, tasks: TaskGroup) -> None:
        super().__init__(Connection(Launcher(Settings())), tasks)
        self.listener = CountingListener()

    @contextmanager
    def listen(self, session_id: str) -> Generator[Listener]:  # noqa: D102 - the base class says it
        del session_id
        yield self.listener

    def say(self, *events: Event) -> None:
        """Have events happen."""
        for event in events:
            self.listener.put(event)


class CountingListener(Listener):
    """Counts how often somebody waits for events."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    async def wait(self, seconds: float) -> list[Event]:  # noqa: D102 - the base class says it
        self.waits += 1
        return await super().wait(seconds)


class RecordingListeners(Subscriptions):
    """Subscriptions to these addresses, and the events that were published to them."""

    def __init__(self, *wanted: str) -> None:
        super().__init__()
        self.addresses = set(wanted)
        self.there = True
        self.published: list[ServerEvent] = []

    @property
    def anybody(self) -> bool:  # noqa: D102 - the base class says it
        return self.there

    def wanted(self) -> set[str]:  # noqa: D102 - the base class says it
        return self.addresses

    async def notify(self, event: ServerEvent) -> None:  # noqa: D102 - the base class says it
        await checkpoint()
        self.published.append(event)

    def has(self, *events: ServerEvent) -> Callable[[], Awaitable[bool]]:
        """Return a condition for ``eventually``: all these events were published."""

        async def look() -> bool:
            return set(events) <= set(self.published)

        return look

    def times(self, event: ServerEvent, count: int) -> Callable[[], Awaitable[bool]]:
        """Return a condition for ``eventually``: an event was published so many times."""

        async def look() -> bool:
            return self.published.count(event) >= count

        return look


class OwnFence:
    """Allows one directory, and all sessions but the foreign ones; OpenCode is away for what is unknown."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Sessions whose directories were looked for."""

    async def allows(self, directory: str) -> bool:  # noqa: D102 - the base class says it
        await checkpoint()
        if directory == "/unknown":
            raise BackendUnavailable("OpenCode is away.")
        return directory == "/own"

    async def allows_session(self, session_id: str) -> bool:  # noqa: D102 - the base class says it
        await checkpoint()
        self.asked.append(session_id)
        if session_id == "ses_unknown":
            raise BackendUnavailable("OpenCode is away.")
        return session_id != "ses_foreign"


@asynccontextmanager
async def noticing(listeners: RecordingListeners, fence: OwnFence | None = None) -> AsyncGenerator[QuietHub]:
    """Running publisher; after the block it sends nothing more."""
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            hub = QuietHub(tasks)
            tasks.start_soon(Publisher(hub, listeners, fence or OwnFence(), attached=False).run)
            yield hub
            tasks.cancel_scope.cancel()


def grown(session: str = SES) -> Event:
    return PartGrew(session, "msg_1", "prt_1", "text", "x")


def created(session: str, title: str = "", parent: str | None = None) -> Event:
    return SessionChanged(session, Session(id=session, title=title, parent_id=parent), created=True)


def updated(session: str, title: str) -> Event:
    return SessionChanged(session, Session(id=session, title=title), created=False)


async def test_a_change_is_sent_to_those_who_want_it_under_their_address() -> None:
    page = uris.transcript(SES, limit="3")
    listeners = RecordingListeners(TRANSCRIPT, page, uris.transcript("ses_2"))
    async with noticing(listeners) as hub:
        hub.say(grown())
        await eventually(listeners.has(ResourceUpdated(TRANSCRIPT), ResourceUpdated(page)))
    assert len(listeners.published) == 2


async def test_without_a_subscriber_to_a_resource_only_events_that_change_lists_are_checked() -> None:
    fence, listeners = OwnFence(), RecordingListeners()
    async with noticing(listeners, fence) as hub:
        hub.say(grown("ses_other"), Idle("ses_other"), created("ses_new"))
        await eventually(listeners.has(ResourcesListChanged()))
    assert (listeners.published, fence.asked) == ([ResourcesListChanged()], ["ses_new"])


@pytest.mark.parametrize("elsewhere", ["/elsewhere", "/own/below", "/unknown"])
async def test_nobody_is_notified_of_what_happens_outside_of_the_allowed_directories(elsewhere: str) -> None:
    foreign, own = "ses_foreign", uris.transcript("ses_own")
    listeners = RecordingListeners(
        uris.transcript(foreign), uris.session(foreign), uris.run(foreign, "msg_1"), uris.SESSIONS, own
    )
    moved = Session(id=foreign, title="Title", directory=elsewhere)
    events = [grown(foreign), TodosChanged(foreign, []), Idle(foreign), SessionDeleted(foreign)]
    async with noticing(listeners) as hub:
        hub.say(*[replace(event, reported_directory=elsewhere) for event in events])
        # The session's own directory counts, whichever instance reports it.
        hub.say(replace(SessionChanged(foreign, moved, created=True), reported_directory="/own"))
        hub.say(replace(grown("ses_own"), reported_directory="/own"))
        await eventually(listeners.has(ResourceUpdated(own)))
        await anyio.wait_all_tasks_blocked()
    assert listeners.published == [ResourceUpdated(own)]


@pytest.mark.parametrize("foreign", ["ses_foreign", "ses_unknown"])
async def test_an_event_without_a_directory_counts_for_the_directory_of_its_session(foreign: str) -> None:
    own, fence = uris.transcript("ses_own"), OwnFence()
    listeners = RecordingListeners(uris.transcript(foreign), uris.session(foreign), uris.SESSIONS, uris.PROJECT, own)
    async with noticing(listeners, fence) as hub:
        hub.say(grown(foreign), Idle(foreign), SessionDeleted(foreign), created(foreign, "Title"))
        hub.say(grown("ses_own"), grown("ses_own"))
        await eventually(listeners.has(ResourceUpdated(own)))
        await anyio.wait_all_tasks_blocked()
    assert listeners.published == [ResourceUpdated(own)]
    assert sorted(fence.asked) == sorted([foreign, "ses_own"])


@pytest.mark.parametrize(("place", "published"), [("/own", True), ("", True), ("/elsewhere", False)])
async def test_what_a_project_offers_changes_the_prompts_and_the_project(place: str, *, published: bool) -> None:
    listeners = RecordingListeners(uris.PROJECT, TRANSCRIPT)
    async with noticing(listeners) as hub:
        hub.say(ProjectChanged("", commands=True, reported_directory=place), grown())
        await eventually(listeners.has(ResourceUpdated(TRANSCRIPT)))
        await anyio.wait_all_tasks_blocked()
    assert (PromptsListChanged() in listeners.published, ResourceUpdated(uris.PROJECT) in listeners.published) == (
        published,
        published,
    )


async def test_a_new_branch_changes_the_project_and_no_prompt() -> None:
    listeners = RecordingListeners(uris.PROJECT)
    async with noticing(listeners) as hub:
        hub.say(ProjectChanged("", commands=False, reported_directory="/own"))
        await eventually(listeners.has(ResourceUpdated(uris.PROJECT)))
    assert PromptsListChanged() not in listeners.published


async def test_many_changes_at_once_are_reported_once_and_one_that_follows_is_reported_too() -> None:
    listeners = RecordingListeners(TRANSCRIPT)
    async with noticing(listeners) as hub:
        hub.say(*[grown() for _ in range(200)])
        await eventually(listeners.times(ResourceUpdated(TRANSCRIPT), 1))
        hub.say(*[grown() for _ in range(200)])
        await eventually(listeners.times(ResourceUpdated(TRANSCRIPT), 2))
        hub.say(TodosChanged(SES, []))
        await anyio.wait_all_tasks_blocked()
    assert listeners.published == [ResourceUpdated(TRANSCRIPT)] * 2


async def test_what_is_due_is_not_waited_for_in_a_circle_once_nobody_is_there() -> None:
    listeners = RecordingListeners(TRANSCRIPT)
    async with noticing(listeners) as hub:
        hub.say(grown())
        await eventually(listeners.times(ResourceUpdated(TRANSCRIPT), 1))
        hub.say(grown())
        await anyio.wait_all_tasks_blocked()
        listeners.there = False
        await eventually(listeners.times(ResourceUpdated(TRANSCRIPT), 2))
        before = hub.listener.waits
        await anyio.wait_all_tasks_blocked()
        for _ in range(100):
            await checkpoint()
        assert hub.listener.waits <= before + 1


async def test_nothing_is_noted_while_nobody_is_there() -> None:
    listeners = RecordingListeners(TRANSCRIPT)
    listeners.there = False
    async with noticing(listeners) as hub:
        hub.say(grown(), created("ses_9"))
        await anyio.wait_all_tasks_blocked()
    assert listeners.published == []


async def test_after_a_gap_anything_may_have_changed() -> None:
    wanted = [TRANSCRIPT, uris.file("a.py"), uris.SESSIONS]
    listeners = RecordingListeners(*wanted)
    async with noticing(listeners) as hub:
        hub.say(Gap(""))
        await eventually(listeners.has(*map(ResourceUpdated, wanted), ResourcesListChanged(), PromptsListChanged()))


async def test_a_listener_that_lagged_is_reported_as_after_a_gap() -> None:
    listeners = RecordingListeners(uris.todo("ses_2"))
    async with noticing(listeners) as hub:
        hub.say(*[grown() for _ in range(BACKLOG_EVENTS + 1)])
        await eventually(listeners.has(ResourceUpdated(uris.todo("ses_2"))))


async def test_the_list_changes_with_the_sessions_that_are_listed_and_their_titles() -> None:
    listeners, change = RecordingListeners(), ResourcesListChanged()
    async with noticing(listeners) as hub:
        hub.say(created(SES, "First"))
        await eventually(listeners.times(change, 1))
        hub.say(updated(SES, "First"), updated(SES, ""), Idle(SES), grown())
        await anyio.wait_all_tasks_blocked()
        hub.say(updated(SES, "Second"))
        await eventually(listeners.times(change, 2))
        hub.say(SessionDeleted(SES))
        await eventually(listeners.times(change, 3))
    assert listeners.published == [change] * 3


async def test_subagents_come_and_go_without_changing_the_list() -> None:
    listeners = RecordingListeners()
    async with noticing(listeners) as hub:
        hub.adopt("ses_2", SES)
        hub.say(created("ses_2", "Below", parent=SES), SessionDeleted("ses_2"))
        await anyio.wait_all_tasks_blocked()
    assert listeners.published == []


async def test_a_parent_is_notified_of_what_its_subagent_does() -> None:
    listeners = RecordingListeners(uris.session(SES))
    async with noticing(listeners) as hub:
        hub.adopt("ses_3", "ses_2")
        hub.adopt("ses_2", SES)
        hub.say(Idle("ses_3"))
        await eventually(listeners.has(ResourceUpdated(uris.session(SES))))


async def test_titles_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode_mcp.server.notifications.publisher.REMEMBERED_TITLES", 2)
    listeners, change = RecordingListeners(), ResourcesListChanged()
    async with noticing(listeners) as hub:
        hub.say(*[created(f"ses_{number}", "Same") for number in range(3)])
        await eventually(listeners.times(change, 1))
        hub.say(updated("ses_2", "Same"))
        await anyio.wait_all_tasks_blocked()
        hub.say(updated("ses_0", "Same"))
        await eventually(listeners.times(change, 2))

"""Waiting for one run: look, judge, sleep until something hints at a change, look again.

Events only wake and tell of progress; what a run's state is comes from GETs. The one exception is a good end that the
stream tells in full (``read_ahead.py``). A waiter holds nothing that another waiter, or one after a restart, could not
find again.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.events import wire
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import Message, SessionStatus
from opencode_mcp.runs.progress import Pace, Progress, still_running
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.read_ahead import ReadAhead, known_record
from opencode_mcp.runs.record import Run, SessionRecord, all_answers, is_superseded, last_answers
from opencode_mcp.runs.report import PendingRequest
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.state import ENDS, Evidence, Signal, State, advance, judge

logger = logging.getLogger(__name__)

Tell = Callable[[str], Awaitable[None]]
"""Tells a person one line of progress."""

# How long a silent stream is trusted, at first and at most, and how soon an unfinished record is read again.
LOOK_FIRST = 2.0
LOOK_EVERY = 10.0
SETTLE_EVERY = 0.05
CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of two machines may differ before one judges the other's record wrongly."""
HINTS = (
    wire.Idle,
    wire.Failed,
    wire.Gap,
    wire.Lost,
    wire.PermissionAsked,
    wire.QuestionAsked,
    wire.RequestClosed,
    wire.SessionDeleted,
)


@dataclass(slots=True)
class Sight:
    """What a waiter has seen of a run so far."""

    state: State = State.SUBMITTED
    answers: list[Message] = field(default_factory=list[Message])
    """The assistant's last messages, oldest first; read when the session is idle."""
    whole: bool = False
    """Whether these are all of its messages since the prompt."""
    pending: list[PendingRequest] = field(default_factory=list[PendingRequest])
    activity: str = ""
    """The last line of progress."""
    text: str = ""
    """What the model has written of the answer that it is at, as far as the stream told."""
    gone: str = ""
    """How it was seen that OpenCode went away; empty while it is there."""
    idle_since: float | None = None
    was_busy: bool = False
    requests_stale: bool = True
    superseded: bool | None = None
    """Whether the session has gone on to another prompt; ``None``: not looked at yet."""
    session: SessionRecord | None = None
    """What the report tells of the session, where it was read ahead."""

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for: the run has ended, or waits for an answer."""
        return self.state in ENDS or self.state is State.WAITING


class Follower:
    """Waits for one run.

    Args:
        client: Reads the truth.
        hub: Tells when to read it.
        run: The run.
        tell: Hears of progress.
    """

    def __init__(self, client: OpenCodeClient, hub: Hub, run: Run, tell: Tell) -> None:
        self._client = client
        self._hub = hub
        self._run = run
        self._tell = tell
        self._requests = Requests(client, hub)
        draft = hub.state(run.session_id).draft
        self._progress = Progress(
            run.session_id, run.message_id, run.directory, lambda: client.clock.now() * 1000, draft
        )
        self._ahead = ReadAhead(client, run)
        self._sight = Sight()
        self._trust = LOOK_FIRST

    async def follow(self, seconds: float) -> Sight:
        """Wait until the run ends or asks, but no longer than given; 0 only looks.

        Raises:
            BackendError: OpenCode could not be read even once.
        """
        deadline = anyio.current_time() + seconds
        pace = Pace(anyio.current_time())
        with self._hub.listen(self._run.session_id) as listener:
            await self._first_look(seconds)
            if not self._sight.settled and seconds > 0:
                await self._ahead.begin(known_record(self._hub.state(self._run.session_id)))
            while not self._sight.settled and anyio.current_time() < deadline:
                if await self._wait(listener, deadline, pace):
                    await self._look_again()
        self._sight.text = self._progress.text
        self._sight.activity = self._sight.activity or self._progress.take()
        return self._sight

    async def _wait(self, listener: Listener, deadline: float, pace: Pace) -> bool:
        """Pass on progress until it is time to look: at a hint, after a silence, at the deadline."""
        settling = self._sight.state is State.SETTLING
        trust = SETTLE_EVERY if settling else min(self._trust, LOOK_EVERY)
        look_at = min(anyio.current_time() + trust, deadline)
        while True:
            events = await listener.wait(min(look_at, self._next_line_at(pace)) - anyio.current_time())
            for event in events:
                self._notice(event)
            await self._ahead.read_if_due()
            await self._pass_on(pace)
            if any(isinstance(event, HINTS) for event in events):
                self._trust = LOOK_FIRST
                return self._sight.state not in ENDS
            if anyio.current_time() >= look_at:
                # OpenCode loses an event now and then, and may have asked something.
                self._sight.requests_stale = True
                self._trust *= 1 if settling else 2
                return self._sight.state not in ENDS

    def _notice(self, event: wire.Event) -> None:
        self._progress.add(event)
        self._ahead.notice(event)
        match event:
            case wire.Lost(reason=reason):
                self._sight.gone = reason
                self._sight.state = advance(self._sight.state, Signal.VANISHED)
            case wire.Gap() | wire.PermissionAsked() | wire.QuestionAsked() | wire.RequestClosed():
                self._sight.requests_stale = True
            case _:
                pass

    def _next_line_at(self, pace: Pace) -> float:
        return pace.next_line(waiting=self._progress.has_news)

    async def _pass_on(self, pace: Pace) -> None:
        now = anyio.current_time()
        if now < self._next_line_at(pace):
            return
        line = self._progress.take() or still_running(run_age(self._client, self._run))
        self._sight.activity = line
        pace.told(now)
        await self._tell(line)

    async def _first_look(self, seconds: float) -> None:
        """Look at the run, unless it is waited for and the stream shows OpenCode at work on it."""
        if seconds <= 0 or not self._is_under_way():
            await self._look()
            return
        self._sight.was_busy = True
        self._sight.state = advance(self._sight.state, Signal.BUSY)

    def _is_under_way(self) -> bool:
        """Whether the stream told that OpenCode took the prompt, and since then of no end and no request.

        Nothing is decided by that but to wait: a lost event is made good by the look that follows a silence.
        """
        session_id = self._run.session_id
        if self._hub.state(session_id).working_on != self._run.message_id:
            return False
        return all(session_id not in self._hub.lineage(request.session_id) for request in self._hub.asked())

    async def _look_again(self) -> None:
        """A look that fails is no verdict: OpenCode may only be slow, and the stream tells when it is gone."""
        try:
            await self._look()
        except BackendError as error:
            logger.info("could not look at %s: %s", self._run.session_id, error)

    async def _look(self) -> None:
        evidence = self._told_end() or await self._evidence()
        self._sight.state = advance(self._sight.state, judge(evidence))

    def _told_end(self) -> Evidence | None:
        """The evidence of an end that the stream told in full, and whose record was read ahead."""
        record = self._ahead.record
        if record is None or self._hub.state(self._run.session_id).error:
            return None
        self._sight.answers, self._sight.whole, self._sight.session = record.answers, record.whole, record.session
        return Evidence(answers=[message.info for message in record.answers])

    async def _evidence(self) -> Evidence:
        run, sight = self._run, self._sight
        status = (await self._client.session_status(run.directory)).get(run.session_id)
        if sight.superseded is None:
            sight.superseded = await is_superseded(self._client, run)
        if status is not None and not sight.superseded:
            return await self._busy_evidence(status)
        sight.pending, sight.requests_stale = [], True
        await self._read_answers()
        return Evidence(
            answers=[message.info for message in sight.answers],
            empty=bool(sight.answers) and _is_empty(sight.answers[-1]),
            error=self._hub.state(run.session_id).error,
            quiet=await self._quiet(),
        )

    async def _read_answers(self) -> None:
        if self._sight.superseded:
            self._sight.answers, self._sight.whole = await all_answers(self._client, self._run), True
        else:
            self._sight.answers, self._sight.whole = await last_answers(self._client, self._run)

    async def _quiet(self) -> float:
        """Seconds since the session was seen to fall idle; for a first look, since OpenCode last touched it."""
        now = anyio.current_time()
        if self._sight.idle_since is None:
            self._sight.idle_since = now - (0 if self._sight.was_busy else await self._untouched())
        return now - self._sight.idle_since

    async def _untouched(self) -> float:
        """Seconds that nobody has touched the run: who only looks now and then must see one that died long ago."""
        session = await self._client.session_get(self._run.session_id)
        ages = self._client.clock.now() - session.time.updated / 1000, run_age(self._client, self._run)
        return max(min(ages) - CLOCKS_DIFFER, 0)

    async def _busy_evidence(self, status: SessionStatus) -> Evidence:
        run, sight = self._run, self._sight
        if status.type == "retry" and not sight.was_busy:
            # Whoever comes in the middle of a long pause must learn what the run waits for.
            self._progress.add(wire.StatusChanged(run.session_id, status))
        sight.idle_since, sight.was_busy = None, True
        if sight.requests_stale:
            sight.pending = await self._requests.open(run.directory, run.session_id)
            sight.requests_stale = False
        return Evidence(status=status, asked=bool(sight.pending))


def run_age(client: OpenCodeClient, run: Run) -> float:
    """How many seconds ago a run's prompt was sent, by OpenCode's clock; 0 where its id does not say so."""
    return age_of(run.message_id, int(client.clock.now() * 1000))


def _is_empty(message: Message) -> bool:
    return not message.info.finish and not any(part.type in {"text", "tool"} for part in message.parts)

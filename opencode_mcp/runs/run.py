"""The life of a prompt: start it, follow it, find it again, stop it.

A run belongs to OpenCode, not to the request that started it: everything here works from the triple (directory, session
id, message id), and what is kept is a cache.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, NotFound, SessionBusy
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import FilePart, Message, Session, TextPart
from opencode_mcp.runs.follow import MESSAGES_A_PAGE, Follower, Run, Tell
from opencode_mcp.runs.message_ids import new_message_id
from opencode_mcp.runs.progress import shorten
from opencode_mcp.runs.prompt import Prompt, check_prompt
from opencode_mcp.runs.report import RunReport, spoken
from opencode_mcp.runs.reporter import PAGES_READ, report_run

if TYPE_CHECKING:
    from opencode_mcp.opencode.transport import Transport

SCHEMAS_KEPT = 200
ABORT_DEADLINE = 10.0


async def be_silent(_line: str) -> None:
    """Tell nobody."""


class Runs:
    """Starts runs and finds them again.

    Args:
        hub: The events of the server that they run on.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turns: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._warm: set[tuple[Transport, str]] = set()
        self._schemas: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def start(self, prompt: Prompt, session: Session | None = None) -> Run:
        """Hand a prompt to OpenCode (``session.prompt_async``).

        Args:
            prompt: What to do.
            session: The session to go on in; none: a new one.

        Raises:
            CallerError: What ``check_prompt`` refuses.
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached; nothing was started.
        """
        client = await self._client(prompt.directory)
        await check_prompt(client, prompt)
        if session is None:
            session = await client.session_create(prompt.directory, {"title": prompt.title} if prompt.title else {})
        async with self._turns[session.id]:
            await self._refuse_if_busy(client, session)
            return await self._post(client, session, prompt)

    async def _client(self, directory: str) -> OpenCodeClient:
        """A client that never finds another server by itself: what happens to this one must be seen."""
        transport = await self._hub.ensure()
        client = OpenCodeClient(transport)
        if (transport, directory) not in self._warm:
            # An abort in the first second of a directory's life breaks it in OpenCode 1.18, unless this came first.
            await client.call("provider.list", directory=directory)
            self._warm.add((transport, directory))
        return client

    async def _refuse_if_busy(self, client: OpenCodeClient, session: Session) -> None:
        if session.id not in await client.session_status(session.directory):
            return
        running = await latest_prompt(client, session.id)
        said = f": {shorten(spoken(running), 80)!r}" if running else ""
        raise SessionBusy(f"The session {session.id} is working on another prompt{said}.")

    async def _post(self, client: OpenCodeClient, session: Session, prompt: Prompt) -> Run:
        run = Run(session.directory, session.id, new_message_id())
        self._hub.state(session.id).error = None
        if prompt.output_schema is not None:
            self._remember(run.message_id, prompt.output_schema)
        try:
            await client.session_prompt_async(session.id, session.directory, prompt.body(run.message_id))
        except (BackendTimeout, BackendUnavailable) as error:
            # OpenCode may have it all the same, so it is never sent again: following the run tells.
            if isinstance(error, BackendUnavailable) and not error.sent:
                raise
        return run

    def _remember(self, message_id: str, schema: Mapping[str, Any]) -> None:
        self._schemas[message_id] = schema
        if len(self._schemas) > SCHEMAS_KEPT:
            self._schemas.popitem(last=False)

    async def follow(self, run: Run, seconds: float, tell: Tell = be_silent) -> RunReport:
        """Wait until a run ends or asks, but no longer than given; then report it.

        Args:
            run: From ``start`` or ``find``.
            seconds: 0 only looks.
            tell: Hears a line of progress at most four times a second, at least every ten seconds.

        Raises:
            BackendError: OpenCode could not be read.
        """
        client = await self._client(run.directory)
        sight = await Follower(client, self._hub, run, tell).follow(seconds)
        return await report_run(client, self._hub, run, sight, self._schemas.get(run.message_id))

    async def follow_all(
        self, runs: Sequence[Run], seconds: float, tell: Tell, *, until: Literal["any", "all"]
    ) -> list[RunReport]:
        """Follow several runs at once; with ``any`` only until the first of them ends or asks."""
        async with anyio.create_task_group() as followers:

            async def follow_one(run: Run) -> None:
                report = await self.follow(run, seconds, tell)
                if until == "any" and report.status != "running":
                    followers.cancel_scope.cancel()

            for run in runs:
                followers.start_soon(follow_one, run)
        return [await self.follow(run, 0) for run in runs]

    async def find(self, session: Session, message_id: str = "") -> Run:
        """Find a run of a session: the one of a given prompt, or the latest.

        Raises:
            NotFound: The session has no prompt, or not that one.
        """
        client = await self._client(session.directory)
        if message_id:
            return Run(session.directory, session.id, message_id)
        prompt = await latest_prompt(client, session.id)
        if prompt is None:
            raise NotFound(f"The session {session.id} has no run yet.")
        return Run(session.directory, session.id, prompt.info.id)

    async def stop(self, run: Run) -> bool:
        """Stop a run and its subagents (``session.abort``), and say whether anything was running."""
        client = await self._client(run.directory)
        running = run.session_id in await client.session_status(run.directory)
        if running:
            await client.session_abort(run.session_id, run.directory)
        return running

    async def abort(self, run: Run) -> tuple[RunReport, bool]:
        """Stop a run, and report it once it has ended; say whether anything was running."""
        running = await self.stop(run)
        return await self.follow(run, ABORT_DEADLINE if running else 0), running


async def latest_prompt(client: OpenCodeClient, session_id: str) -> Message | None:
    """The last message of a session that a person wrote; OpenCode writes some in the person's name when it compacts."""
    cursor, oldest = "", None
    for _ in range(PAGES_READ):
        page = await client.session_messages(session_id, limit=MESSAGES_A_PAGE, before=cursor)
        for message in reversed(page.items):
            if _is_prompt(message):
                return message
            oldest = message
        cursor = page.cursor
        if not cursor:
            break
    return _unreadable_prompt(oldest)


def _is_prompt(message: Message) -> bool:
    written = (
        isinstance(part, FilePart) or (isinstance(part, TextPart) and not part.synthetic) for part in message.parts
    )
    return message.info.role == "user" and any(written)


def _unreadable_prompt(answer: Message | None) -> Message | None:
    """Name the prompt that OpenCode cannot show by the answer that names it; see ``session_messages``."""
    if answer is None or not answer.info.parent_id:
        return None
    info = answer.info.model_copy(update={"id": answer.info.parent_id, "role": "user"})
    return Message(info=info)

"""Calls of OpenCode 2; each uses a row of its operation table.

Design. OpenCode 2 has sessions with an inbox and executions, where OpenCode 1 has prompts. This module, and the
conversions beside it, present them in the words of ``adapter.Adapter``. What version 2 lacks or does otherwise is
explained in the method that it concerns. Agent and model are properties of a session there: they are set before a
prompt is sent, which the caller does only while the session is idle.

A method makes the calls that its docstring names, and raises what ``codec.decode`` and the sender raise.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    NotFound,
    UnsupportedOperation,
)
from opencode_mcp.opencode.backend_events import Event
from opencode_mcp.opencode.codec import encode
from opencode_mcp.opencode.models import (
    Agent,
    Command,
    FileDiff,
    FileNode,
    McpStatus,
    Message,
    Paths,
    Permission,
    PermissionDecision,
    Providers,
    Question,
    Session,
    SessionStatus,
    SymbolMatch,
    TextMatch,
    Todo,
    UncommittedFile,
    Vcs,
    read_each,
)
from opencode_mcp.opencode.operation_caller import RequestSender
from opencode_mcp.opencode.operation_table import OperationTable
from opencode_mcp.opencode.selection import Page, SessionFilter
from opencode_mcp.opencode.submission import Accepted, Features
from opencode_mcp.opencode.transport import READ_TIMEOUT_SECONDS, Body
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.event_parser import EventParser2
from opencode_mcp.opencode.v2.event_stream import parse_lines
from opencode_mcp.opencode.v2.inbox import LATEST, SessionInbox
from opencode_mcp.opencode.v2.message_pairs import source_id
from opencode_mcp.opencode.v2.messages import END, to_messages
from opencode_mcp.opencode.v2.reading import as_map, as_maps
from opencode_mcp.opencode.v2.requests import NO_SESSION, form_answer, permission_of, question_of
from opencode_mcp.opencode.v2.retries import pause_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.submission import CommandSubmission, PromptSubmission, ShellSubmission
    from opencode_mcp.text.json_types import JsonMap

logger = logging.getLogger(__name__)

ANSWER = "assistant"
"""Type of the messages of the model."""
TURN_MARKS = frozenset({"user", "idle"})
"""Types of messages that begin or end the work on a prompt."""
MOST_MESSAGES = 200
"""Most messages that OpenCode 2 sends in one page."""
PAGES_OF_A_TURN = 50
"""Pages in which the prompt of a turn, or a message that is shown, is searched for."""
OLDER_MESSAGES = 10
"""Messages that are read to learn whether there is an older one to show."""
SESSIONS_A_PAGE = 200
DIFF_CONTEXT = 3
"""Unchanged lines around each change; without the argument a patch holds the whole file."""
OPENING_SECONDS = 10.0
"""Longest time for which a directory that was just opened has empty lists of agents and models, in seconds.

It is 2 to 4 on a quiet machine.
"""
OPENING_INTERVAL_SECONDS = 0.2
DIRECTORIES_KEPT = 1000


class OpenCode2(SessionInbox):
    """Calls of an OpenCode 2; see ``adapter.Adapter``."""

    features = Features(output_schemas=False, command_ids=False, retry_status=False, todos=False)

    def __init__(self, sender: RequestSender, table: OperationTable) -> None:
        super().__init__(sender, table)
        self._settled = BoundedDict[str, anyio.Event](DIRECTORIES_KEPT)
        """Directories that were opened; the event says that their lists of agents and models are complete."""
        self._event_parser = EventParser2()

    @asynccontextmanager
    async def events(self, *, silence: float) -> AsyncGenerator[AsyncIterator[list[Event]]]:
        """Follow the events of every directory (``event.subscribe``)."""
        request = encode(self._table.operation("event.subscribe"))
        async with (
            self._sender.events(request, silence=silence) as lines,
            aclosing(parse_lines(lines, self._event_parser)) as events,
        ):
            yield events

    # --- Server

    async def path(self, directory: str = "") -> Paths:
        """Call ``location.get``. OpenCode 2 does not name the home and the configuration folder."""
        found = as_map(await self.call("location.get", directory=directory))
        project = as_map(found.get("project"))
        worktree = str(project.get("canonical") or project.get("directory") or "")
        return Paths(directory=str(found.get("directory") or ""), worktree=worktree)

    async def providers(self, directory: str = "") -> Providers:
        """Call ``provider.list`` and ``model.list``, which have only what can be used."""
        return await self.used_providers(directory)

    async def used_providers(self, directory: str) -> Providers:
        """Call ``provider.list`` and ``model.list``."""
        await self._settle(directory)
        providers = await self._data("provider.list", directory=directory)
        return conversions.providers_of(providers, await self._data("model.list", directory=directory))

    async def agents(self, directory: str) -> list[Agent]:
        """Call ``agent.list``."""
        await self._settle(directory)
        found = conversions.agents_of(await self._data("agent.list", directory=directory))
        return [agent for agent in found if not agent.hidden]

    async def default_model(self, directory: str) -> str:
        """Call ``model.default``: the model that a session without one will use."""
        await self._settle(directory)
        return conversions.model_name(await self._data("model.default", directory=directory))

    async def commands(self, directory: str) -> list[Command]:
        """Call ``command.list``."""
        await self._settle(directory)
        return conversions.commands_of(await self._data("command.list", directory=directory))

    async def mcp_status(self, directory: str) -> dict[str, McpStatus]:
        """Call ``mcp.list``."""
        await self._settle(directory)
        return conversions.mcp_servers_of(await self._data("mcp.list", directory=directory))

    async def instance_dispose(self, directory: str) -> None:
        """Call ``debug.location.evict``: the next call opens the directory again; runs go on."""
        self._settled.pop(directory, None)
        await self.call("debug.location.evict", directory=directory)

    async def _settle(self, directory: str) -> None:
        """Wait until a directory has agents and models: OpenCode 2 answers with empty lists while it loads them."""
        if directory in self._settled:
            await self._settled[directory].wait()
            return
        self._settled[directory] = settled = anyio.Event()
        is_complete = False
        try:
            await self._await_lists(directory)
            is_complete = True
        finally:
            settled.set()
            if not is_complete:
                self._settled.pop(directory, None)

    async def _await_lists(self, directory: str) -> None:
        """Read until the lists have entries. Without a provider there are no models: then the time ends the wait."""
        deadline = anyio.current_time() + OPENING_SECONDS
        # No event says that a directory is ready: the ones that come while it opens are too many and too early.
        while not await self._has_lists(directory) and anyio.current_time() < deadline:  # noqa: ASYNC110
            await anyio.sleep(OPENING_INTERVAL_SECONDS)

    async def _has_lists(self, directory: str) -> bool:
        if not await self._data("agent.list", directory=directory):
            return False
        return bool(await self._data("model.list", directory=directory))

    # --- Sessions

    async def session_create(
        self, directory: str, *, title: str = "", metadata: Mapping[str, object] | None = None
    ) -> Session:
        """Call ``session.create``."""
        given = {"title": title, "metadata": metadata}
        body = {name: value for name, value in given.items() if value} | {"location": {"directory": directory}}
        return conversions.session_of(await self._data("session.create", body=body))

    async def session_get(self, session_id: str, directory: str = "") -> Session:
        """Call ``session.get``; the directory is not needed."""
        del directory
        return conversions.session_of(await self._data("session.get", path={"sessionID": session_id}))

    async def session_set_metadata(self, session: Session, metadata: Mapping[str, object]) -> None:
        """Call ``session.update``."""
        await self.call("session.update", path={"sessionID": session.id}, body={"metadata": metadata})

    async def session_delete(self, session_id: str) -> None:
        """Call ``session.remove``."""
        await self.call("session.remove", path={"sessionID": session_id})

    async def all_sessions(self, wanted: SessionFilter, directory: str = "") -> Page[Session]:
        """Call ``session.list`` until enough sessions of the wanted time are found.

        Its own cursor is of no use here: it holds the filters, and is there on the last page too.
        """
        found: list[Session] = []
        async for session in self._sessions(wanted, directory):
            if session.time.updated < wanted.since:
                break
            if not wanted.before or session.time.updated < wanted.before:
                found.append(session)
            if len(found) > wanted.limit:
                return Page(found[: wanted.limit], f"{found[wanted.limit - 1].time.updated:.0f}")
        return Page(found, "")

    async def _sessions(self, wanted: SessionFilter, directory: str) -> AsyncIterator[Session]:
        """Yield the sessions from the latest changed one on."""
        query: dict[str, object] = {"limit": SESSIONS_A_PAGE, "order": "desc"}
        query |= {"search": wanted.search} if wanted.search else {}
        query |= {"parentID": "null"} if wanted.roots else {}
        query |= {"directory": directory} if directory else {}
        while True:
            reply = as_map(await self.call("session.list", query=query))
            items = as_maps(reply.get("data"))
            for item in items:
                session = conversions.session_of(item)
                if wanted.archived or not as_map(item.get("time")).get("archived"):
                    yield session
            following = as_map(reply.get("cursor")).get("next")
            if len(items) < SESSIONS_A_PAGE or not following:
                return
            query = {"cursor": following, "limit": SESSIONS_A_PAGE}

    async def session_children(self, session_id: str) -> list[Session]:
        """Call ``session.list`` with the parent."""
        query = {"parentID": session_id, "limit": SESSIONS_A_PAGE}
        return [conversions.session_of(item) for item in as_maps(await self._data("session.list", query=query))]

    async def session_status(self, directory: str) -> dict[str, SessionStatus]:
        """Call ``session.active``: the busy sessions of all directories. It does not tell a retry from other work."""
        del directory
        active = as_map(await self._data("session.active"))
        return {session_id: SessionStatus(type="busy") for session_id in active}

    async def running_sessions(self, directory: str) -> list[str]:
        """Call ``session.active``, and ``session.get`` for each, since the list has no directories."""
        found: list[str] = []
        for session_id in await self.session_status(directory):
            try:
                session = await self.session_get(session_id)
            except NotFound:
                continue  # Deleted meanwhile.
            if session.directory == directory:
                found.append(session_id)
        return found

    async def session_pause(self, session_id: str) -> SessionStatus | None:
        """Call ``message.list``: a message shows the pause, also when it is over."""
        items, _ = await self._items(session_id, LATEST, "")
        answers = [item for item in items if item.get("type") == "assistant"]
        retry = as_map(answers[-1].get("retry") if answers else None)
        pause = pause_of(retry) if retry else None
        return pause if pause and pause.next > self._sender.clock.now() * 1000 else None

    async def session_todo(self, session_id: str) -> list[Todo]:
        """Return nothing: OpenCode 2 has no todo lists."""
        del session_id
        return []

    async def session_diff(self, session_id: str, message_id: str) -> list[FileDiff]:
        """Call ``session.diff`` for the turn of a prompt."""
        query = {"from": message_id, "context": DIFF_CONTEXT}
        return conversions.diffs_of(await self._data("session.diff", path={"sessionID": session_id}, query=query))

    async def session_revert(self, session_id: str, message_id: str) -> Session:
        """Call ``session.revert.stage``, with the files."""
        body = {"messageID": message_id, "files": True}
        await self.call("session.revert.stage", path={"sessionID": session_id}, body=body)
        return await self.session_get(session_id)

    async def session_unrevert(self, session_id: str) -> Session:
        """Call ``session.revert.clear``, which starts an execution that does nothing."""
        session = await self.session_get(session_id)
        if session.revert is None:
            return session
        await self.call("session.revert.clear", path={"sessionID": session_id})
        return await self.session_get(session_id)

    async def session_fork(self, session_id: str, message_id: str = "") -> Session:
        """Call ``session.fork``."""
        body = {"before": message_id} if message_id else {}
        return conversions.session_of(await self._data("session.fork", path={"sessionID": session_id}, body=body))

    async def session_abort(self, session_id: str, directory: str = "") -> None:
        """Call ``session.interrupt``, then ``session.inbox.cancel`` for every prompt that was not begun.

        An interrupt leaves such prompts in the inbox, and the next prompt would begin them too. It does not end a
        shell line of a person's either: ``shell.remove`` does.
        """
        try:
            await self.call("session.interrupt", path={"sessionID": session_id})
            await self._empty_inbox(session_id)
            if directory and (shell := await self.running_shell(session_id, directory)):
                await self.call("shell.remove", path={"id": shell}, directory=directory)
        except NotFound:
            return

    # --- Messages

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> Accepted:
        """Call ``session.prompt``, after ``session.switchAgent`` and ``session.switchModel`` where they are needed.

        ``delivery`` is ``queue``: a prompt that another client has started meanwhile is finished first. If the reply is
        lost, the prompt is sent again with the same id: OpenCode 2 takes a prompt of one id once.
        """
        changed = await self._choose(session_id, directory, prompt.agent, prompt.model, prompt.variant)
        body: dict[str, object] = {"id": prompt.message_id, "text": prompt.text, "delivery": "queue"}
        if prompt.files:
            body["files"] = [{"uri": file.url, "name": file.filename} for file in prompt.files]
        if prompt.metadata:
            body["metadata"] = prompt.metadata
        send = partial(self.call, "session.prompt", path={"sessionID": session_id}, body=body, queued=False)
        try:
            await send(timeout=timeout)
        except (BackendTimeout, BackendUnavailable) as error:
            if isinstance(error, BackendUnavailable) and not error.sent:
                raise
            await _send_again(send, timeout, error)
        return replace(changed, message_id=prompt.message_id)

    async def _choose(self, session_id: str, directory: str, agent: str, model: str, variant: str) -> Accepted:
        """Set the agent and the model of an idle session, unless it has them; return what was changed."""
        changed = Accepted(message_id="")
        if not agent and not model and not variant:
            return changed
        path = {"sessionID": session_id}
        session = as_map(await self._data("session.get", path=path))
        if agent and session.get("agent") != agent:
            await self.call("session.switchAgent", path=path, body={"agent": agent})
            changed = replace(changed, agent=agent)
        wanted = await self._wanted_model(directory, agent, model, variant)
        if wanted and dict(as_map(session.get("model"))) != wanted:
            await self.call("session.switchModel", path=path, body={"model": wanted})
            changed = replace(changed, model=conversions.model_name(wanted), variant=wanted.get("variant", ""))
        return changed

    async def _wanted_model(self, directory: str, agent: str, model: str, variant: str) -> dict[str, str]:
        """Return the reference to a model; without a name that of the agent, which OpenCode 2 itself does not use."""
        if model:
            return conversions.model_reference(model, variant)
        own = await self._model_of_agent(directory, agent) if agent else {}
        if own:
            return own | ({"variant": variant} if variant else {})
        return conversions.model_reference(await self.default_model(directory), variant) if variant else {}

    async def _model_of_agent(self, directory: str, agent: str) -> dict[str, str]:
        await self._settle(directory)
        for item in as_maps(await self._data("agent.list", directory=directory)):
            if item.get("id") == agent:
                return {name: str(value) for name, value in as_map(item.get("model")).items() if value}
        return {}

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float
    ) -> Accepted:
        """Call ``session.command``, then search for its prompt: OpenCode 2 chooses the id and does not return it.

        Raises:
            BackendFailed: OpenCode accepted the command, and no prompt of it can be found.
        """
        changed = await self._choose(session_id, directory, command.agent, command.model, "")
        known = await self._known_prompts(session_id)
        body = {"name": command.name, "text": command.arguments, "delivery": "queue"}
        lost: BridgeError | None = None
        try:
            await self.call("session.command", path={"sessionID": session_id}, body=body, timeout=timeout, queued=False)
        except (BackendTimeout, BackendUnavailable) as error:
            if isinstance(error, BackendUnavailable) and not error.sent:
                raise
            lost = error
        if prompt := await self._new_prompt(session_id, known):
            return replace(changed, message_id=prompt)
        raise lost or BackendFailed(
            f"OpenCode ran the command {command.name!r}, which gave the session no prompt.",
            hint="opencode_session shows what the session did.",
        )

    async def submit_shell(self, session_id: str, directory: str, shell: "ShellSubmission", *, timeout: float) -> None:
        """Call ``session.shell``, which answers when the command has ended."""
        del directory
        body = {"id": shell.message_id, "command": shell.line}
        await self.call("session.shell", path={"sessionID": session_id}, body=body, timeout=timeout, queued=False)

    async def running_shell(self, session_id: str, directory: str) -> str:
        """Call ``message.list``, and ``shell.list`` if the latest shell line has no end on record.

        OpenCode 2 does not count the session as active meanwhile. The line of a server that was killed has no end.
        """
        items, _ = await self._items(session_id, LATEST, "")
        lines = [str(item.get("shellID")) for item in items if item.get("type") == "shell" and _is_running(item)]
        if not lines:
            return ""
        running = {str(item.get("id")) for item in as_maps(await self._data("shell.list", directory=directory))}
        return lines[-1] if lines[-1] in running else ""

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """Call ``message.list``; a page that begins in the middle of a turn is read with the turn's prompt.

        A page that would begin with the mark of an end begins with the message before it, which the mark is about. A
        page of marks alone is read with the page before it, and a cursor leads to messages that are shown.
        """
        items, cursor = await self._shown_items(session_id, min(limit, MOST_MESSAGES), before)
        if cursor and items and items[0].get("type") == END:
            marked, cursor = await self._items(session_id, 1, cursor)
            items = [*marked, *items]
        prompt = await self._prompt_before(session_id, items, cursor)
        # The model's messages follow a prompt; before others there may be nothing, though OpenCode sends a cursor.
        if cursor and items[0].get("type") != ANSWER:
            older, _ = await self._shown_items(session_id, OLDER_MESSAGES, cursor)
            cursor = cursor if to_messages(older, session_id) else ""
        return Page(to_messages(items, session_id, prompt=prompt), cursor)

    async def _shown_items(self, session_id: str, limit: int, before: str) -> "tuple[list[JsonMap], str]":
        """Return a page of messages of which at least one is shown, unless only marks are left."""
        items, cursor = await self._items(session_id, limit, before)
        for _ in range(PAGES_OF_A_TURN):
            if not cursor or to_messages(items, session_id):
                break
            older, cursor = await self._items(session_id, limit, cursor)
            items = [*older, *items]
        return items, cursor

    async def _items(self, session_id: str, limit: int, before: str) -> "tuple[list[JsonMap], str]":
        """Return a page of messages, oldest first, and the cursor of older ones; empty at the beginning."""
        query = {"limit": limit, "cursor": before} if before else {"limit": limit, "order": "desc"}
        reply = as_map(await self.call("message.list", path={"sessionID": session_id}, query=query))
        items = as_maps(reply.get("data"))
        cursor = as_map(reply.get("cursor")).get("next")
        return items[::-1], str(cursor) if cursor and len(items) >= limit else ""

    async def _prompt_before(self, session_id: str, items: "Sequence[JsonMap]", cursor: str) -> str:
        """Return the id of the prompt that is answered where a page begins; empty if none is."""
        if items and items[0].get("type") in TURN_MARKS:
            return ""
        for _ in range(PAGES_OF_A_TURN):
            if not cursor:
                break
            older, cursor = await self._items(session_id, MOST_MESSAGES, cursor)
            for item in reversed(older):
                if item.get("type") in TURN_MARKS:
                    return str(item.get("id")) if item.get("type") == "user" else ""
        return ""

    async def session_message(self, session_id: str, message_id: str) -> Message:
        """Call ``session.message.get``; for an answer ``message.list`` too, since only the order tells its prompt.

        Raises:
            NotFound: There is no such message, or it is a mark that the bridge does not show.
        """
        path = {"sessionID": session_id, "messageID": source_id(message_id)}
        item = as_map(await self._data("session.message.get", path=path))
        if item.get("type") != ANSWER:
            return _named(to_messages([item], session_id), session_id, message_id)
        cursor, before = "", True
        while before:
            page = await self.session_messages(session_id, limit=MOST_MESSAGES, before=cursor)
            if any(message.info.id == message_id for message in page.items):
                return _named(page.items, session_id, message_id)
            cursor, before = page.cursor, bool(page.cursor)
        raise _no_message(session_id, message_id)

    # --- Requests

    async def permissions(self, directory: str) -> list[Permission]:
        """Call ``permission.request.list``."""
        return read_each(permission_of, as_maps(await self._data("permission.request.list", directory=directory)))

    async def permission_reply(
        self, permission: Permission, directory: str, decision: PermissionDecision, message: str = ""
    ) -> None:
        """Call ``permission.reply``, or ``session.interrupt`` for a rejection without a message.

        Such a rejection would end the run as if OpenCode were shutting down, and the background service of the person
        would resume it.
        """
        path = {"sessionID": permission.session_id, "requestID": permission.id}
        if decision == "reject" and not message:
            # Raises NotFound if it was answered: an interrupt would stop a run that goes on.
            await self.call("permission.get", path=path)
            await self.session_abort(permission.session_id, directory)
            return
        body = {"decision": decision} | ({"message": message} if message else {})
        await self.call("permission.reply", path=path, body=body)

    async def questions(self, directory: str) -> list[Question]:
        """Call ``form.list``."""
        return read_each(question_of, as_maps(await self._data("form.list", directory=directory)))

    async def question_reply(self, question: Question, directory: str, answers: Sequence[Sequence[str]]) -> None:
        """Call ``session.form.reply``."""
        await self._form("session.form.reply", question, directory, {"answer": form_answer(question, answers)})

    async def question_reject(self, question: Question, directory: str) -> None:
        """Call ``session.interrupt`` for a question of the model, else ``session.form.cancel``.

        A form of the question tool that is cancelled ends the run as a rejected permission does. The run goes on when
        another form is cancelled: the MCP server or the plugin that asks gets the cancellation.
        """
        if question.tool is None:
            await self._form("session.form.cancel", question, directory)
            return
        found = as_map(conversions.data_of(await self._form("session.form.get", question, directory)))
        if as_map(found.get("state")).get("status") != "pending":
            raise NotFound(f"The request {question.id!r} was answered already.")
        await self.session_abort(question.session_id, directory)

    async def _form(self, operation_id: str, question: Question, directory: str, body: object = None) -> object:
        """Call an operation about a form; one of an MCP server is found by its directory."""
        path = {"sessionID": NO_SESSION if question.of_directory else question.session_id, "formID": question.id}
        query = {"location[directory]": directory} if question.of_directory else None
        return await self.call(operation_id, path=path, query=query, body=body)

    # --- Files

    async def file_list(self, directory: str, path: str) -> list[FileNode]:
        """Call ``file.list``."""
        query = {"path": path} if path not in {"", "."} else {}
        return conversions.entries_of(await self._data("file.list", query=query, directory=directory))

    def file_bytes(self, directory: str, path: str) -> AbstractAsyncContextManager[Body]:
        """Call ``file.read``."""
        row = self._table.operation("file.read")
        return self._sender.stream(encode(row, path={"path": path}, directory=directory))

    async def find_text(self, directory: str, pattern: str) -> list[TextMatch]:
        """Refuse: OpenCode 2 does not search text.

        Raises:
            UnsupportedOperation: Always.
        """
        del directory, pattern
        raise UnsupportedOperation(
            "OpenCode 2 cannot search text.", hint="The bridge searches itself where the files are on its machine."
        )

    async def find_symbols(self, directory: str, query: str) -> list[SymbolMatch]:
        """Return nothing: OpenCode 2 has no language servers to ask."""
        del directory, query
        return []

    async def vcs_diff(self, directory: str, mode: str) -> list[FileDiff]:
        """Call ``vcs.diff``."""
        query = {"mode": "working" if mode == "git" else mode, "context": DIFF_CONTEXT}
        return conversions.diffs_of(await self._data("vcs.diff", query=query, directory=directory))

    async def vcs(self, directory: str) -> Vcs:
        """Call ``vcs.get``."""
        return conversions.vcs_of(await self._data("vcs.get", directory=directory))

    async def vcs_status(self, directory: str) -> list[UncommittedFile]:
        """Call ``vcs.status``."""
        return UncommittedFile.read_list(await self._data("vcs.status", directory=directory))


def _is_running(shell: "JsonMap") -> bool:
    return shell.get("status") == "running"


async def _send_again(send: Callable[..., Awaitable[object]], timeout: float, first: BridgeError) -> None:
    """Send a prompt whose reply was lost once more.

    Raises:
        BridgeError: The first failure, since whatever the second one says, OpenCode may have the prompt.
    """
    try:
        await send(timeout=timeout)
    except BridgeError as error:
        logger.info("sending a prompt again failed: %s", error)
        raise first from error


def _named(messages: Sequence[Message], session_id: str, message_id: str) -> Message:
    for message in messages:
        if message.info.id == message_id:
            return message
    raise _no_message(session_id, message_id)


def _no_message(session_id: str, message_id: str) -> NotFound:
    return NotFound(f"The session {session_id} has no message {message_id!r}.")

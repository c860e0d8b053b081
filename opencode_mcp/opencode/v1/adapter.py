"""Calls of OpenCode 1; each uses a row of its operation table.

A method makes the calls that its docstring names and raises what ``codec.decode`` and the sender raise, unless its
docstring says more. The workarounds for faults of OpenCode 1 that one call can hide are here; each names the version
that it was seen in.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar, cast

from opencode_mcp.errors import BackendError, BackendFailed, BridgeError, UnsupportedOperation
from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.opencode.http_client.codec import TOO_LARGE, decode, encode, is_unreadable
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Body
from opencode_mcp.opencode.lost_replies import MAY_BE_EMPTY, is_reply_lost
from opencode_mcp.opencode.operation_caller import OperationCaller
from opencode_mcp.opencode.v1.event_stream import parse_lines
from opencode_mcp.opencode.v1.session_note import fork_metadata, renamed_metadata, session_of
from opencode_mcp.opencode.vocabulary.backend_events import Event
from opencode_mcp.opencode.vocabulary.command_source import CommandSource
from opencode_mcp.opencode.vocabulary.features import Features, Rereading
from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter
from opencode_mcp.opencode.vocabulary.submission import Receipt
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Agent, Command
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff, FileNode, SymbolMatch, TextMatch
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, PermissionDecision, Question
from opencode_mcp.opencode.vocabulary.wire.project_objects import NewWorktree, Paths, UncommittedFile, Vcs
from opencode_mcp.opencode.vocabulary.wire.providers import Providers
from opencode_mcp.opencode.vocabulary.wire.server_objects import McpStatus
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire, read_each
from opencode_mcp.text.json_values import as_texts

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.submission import (
        CommandSubmission,
        PromptSubmission,
        SessionSettings,
        ShellSubmission,
    )
    from opencode_mcp.text.json_types import JsonObject

logger = logging.getLogger(__name__)

W = TypeVar("W", bound=Wire)
SESSIONS_IN_USE = 100
"""Most sessions among which those that may be busy are searched."""
REREADING = Rereading(
    operation="instance.dispose",
    consequence="stops what runs there",
    user_settings=False,
    fails_on_invalid_file=True,
    changes_loaded=CHANGES_LOADED[1],
)


class OpenCode1(OperationCaller):
    """Calls of an OpenCode 1; see ``adapter.Adapter``."""

    features = Features(
        output_schemas=True,
        command_ids=True,
        retry_status=True,
        busy_anywhere=False,
        todos=True,
        message_reader="session.message",
        keeps_removed_cost=False,
        unarchives=False,
        archived_lister="experimental.session.list",
        archived_rows="[?time.archived]",
        mentions_in_worktree=True,
        diffs_grow=True,
        undo_restores_diff=False,
        unusable_models=True,
        idle_questions=False,
        deletes_branches=True,
        resumes_runs=False,
        mcp_settings=("mcp",),
        rereading=REREADING,
    )

    @asynccontextmanager
    async def events(self, *, silence: float) -> AsyncGenerator[AsyncIterator[list[Event]]]:
        """Follow the events of every directory (``global.event``)."""
        request = encode(self._table.operation("global.event"))
        async with self._sender.events(request, silence=silence) as lines, aclosing(parse_lines(lines)) as events:
            yield events

    # --- Server

    async def path(self, directory: str = "") -> Paths:
        """Call ``path.get``."""
        return Paths.read(await self.call("path.get", directory=directory))

    async def providers(self, directory: str = "") -> Providers:
        """Call ``provider.list``; as the first call in a directory it also initializes the directory.

        OpenCode 1.18 counts a provider as connected as soon as its credentials exist, but uses it only in a new
        instance. Therefore the connected providers are taken from ``config.providers``.
        """
        known = Providers.read(await self.call("provider.list", directory=directory))
        used = await self.used_providers(directory)
        return Providers(all=known.all, default=known.default, connected=used.connected)

    async def used_providers(self, directory: str) -> Providers:
        """Call ``config.providers``: the providers in use, with their models; a thousandth of ``provider.list``."""
        used = Providers.read(await self.call("config.providers", directory=directory))
        return Providers(all=used.providers, connected=[provider.id for provider in used.providers])

    async def agents(self, directory: str) -> list[Agent]:
        """Call ``app.agents``, and drop the agents that OpenCode hides."""
        return [
            agent for agent in Agent.read_list(await self.call("app.agents", directory=directory)) if not agent.hidden
        ]

    async def default_model(self, directory: str) -> str:
        """Call ``config.get``. Only the model is read; the answer also holds keys."""
        value = await self.call("config.get", directory=directory)
        if not isinstance(value, Mapping):
            raise BackendFailed("OpenCode sent no configuration.")
        return str(cast("Mapping[str, object]", value).get("model") or "")

    async def commands(self, directory: str) -> list[Command]:
        """Call ``command.list``."""
        return Command.read_list(await self.call("command.list", directory=directory))

    async def command_sources(self, directory: str) -> list[CommandSource]:
        """Return nothing: ``command.list`` has the templates."""
        del directory
        return []

    async def mcp_status(self, directory: str) -> dict[str, McpStatus]:
        """Call ``mcp.status``; returns the states by server name."""
        return _read_map(McpStatus, await self.call("mcp.status", directory=directory))

    async def open_project(self, directory: str) -> None:
        """Call ``path.get``, which is answered when the directory is open."""
        await self.path(directory)

    async def prepare_runs(self, directory: str) -> None:
        """Call ``config.providers``.

        An abort in the first second of a directory's life breaks the directory in OpenCode 1.18, unless its providers
        were loaded before. ``provider.list`` loads them too, and its reply is a thousand times as large.
        """
        await self.used_providers(directory)

    async def instance_dispose(self, directory: str) -> None:
        """Call ``instance.dispose``: ends all runs of a directory; the next call there reads OpenCode's files again."""
        await self.call("instance.dispose", directory=directory)

    # --- Sessions

    async def session_create(
        self,
        directory: str,
        *,
        title: str = "",
        metadata: Mapping[str, object] | None = None,
        settings: "SessionSettings | None" = None,
    ) -> Session:
        """Call ``session.create``. Agent and model go with each prompt instead.

        OpenCode 1 chooses the id. So a session whose creation got no reply is left, and the error says so.
        """
        del settings
        body = {name: value for name, value in {"title": title, "metadata": metadata}.items() if value}
        try:
            return session_of(await self.call("session.create", body=body, directory=directory))
        except BackendError as error:
            error.hint = MAY_BE_EMPTY if is_reply_lost(error) else error.hint
            raise

    async def session_get(self, session_id: str, directory: str = "") -> Session:
        """Call ``session.get``. OpenCode uses the session's own directory; a given directory is opened first."""
        return session_of(await self.call("session.get", path={"sessionID": session_id}, directory=directory))

    async def session_set_metadata(self, session: Session, metadata: Mapping[str, object]) -> None:
        """Call ``session.update``."""
        body = {"metadata": metadata}
        await self.call("session.update", path={"sessionID": session.id}, body=body, directory=session.directory)

    async def session_rename(self, session: Session, title: str) -> None:
        """Call ``session.update``; a note has the time, which OpenCode 1 does not keep."""
        body = {"title": title, "metadata": renamed_metadata(session, self._sender.clock.now() * 1000)}
        await self.call("session.update", path={"sessionID": session.id}, body=body, directory=session.directory)

    async def session_archive(self, session: Session, *, archived: bool) -> None:
        """Call ``session.update``.

        Raises:
            UnsupportedOperation: It should be taken out of the archive, for which OpenCode 1.18 has no call.
        """
        if not archived:
            if session.time.archived is None:
                return
            raise UnsupportedOperation(
                f"OpenCode 1 cannot take {session.id} out of the archive.",
                hint="It can still be read, and continued with its session_id. opencode_fork copies it.",
            )
        body = {"time": {"archived": int(self._sender.clock.now() * 1000)}}
        await self.call("session.update", path={"sessionID": session.id}, body=body, directory=session.directory)

    async def session_delete(self, session_id: str) -> None:
        """Call ``session.delete``."""
        await self.call("session.delete", path={"sessionID": session_id})

    async def all_sessions(self, wanted: SessionFilter, directory: str = "") -> Page[Session]:
        """Call ``experimental.session.list``."""
        row = self._table.operation("experimental.session.list")
        query: JsonObject = {
            "search": wanted.search or None,
            "roots": wanted.roots or None,
            "archived": wanted.archived or None,
            "start": wanted.since or None,
            "cursor": wanted.before or None,
            "limit": wanted.limit,
        }
        reply = await self._sender.send(encode(row, query=query, directory=directory))
        return Page(_sessions_of(decode(row, reply)), reply.headers.get("x-next-cursor", ""))

    async def session_children(self, session_id: str) -> list[Session]:
        """Call ``session.children``: the sessions of its subagents."""
        return _sessions_of(await self.call("session.children", path={"sessionID": session_id}))

    async def session_status(self, directory: str) -> dict[str, SessionStatus]:
        """Call ``session.status``: the busy and retrying sessions of a directory; a session that is missing is idle."""
        return _read_map(SessionStatus, await self.call("session.status", directory=directory))

    async def running_sessions(self, directory: str) -> list[str]:
        """Call ``session.status``."""
        return list(await self.session_status(directory))

    async def sessions_in_use(self, since: float) -> list[Session]:
        """Call ``experimental.session.list`` for those that have changed: which are busy is known to each directory."""
        wanted = SessionFilter(roots=True, archived=True, since=since, limit=SESSIONS_IN_USE)
        return (await self.all_sessions(wanted)).items

    async def session_pause(self, session_id: str) -> SessionStatus | None:
        """Return nothing: ``session.status`` tells the pause."""
        del session_id
        return None

    async def session_todo(self, session_id: str) -> list[Todo]:
        """Call ``session.todo``."""
        return Todo.read_list(await self.call("session.todo", path={"sessionID": session_id}))

    async def session_diff(self, session_id: str, message_id: str) -> list[FileDiff]:
        """Call ``session.diff``: the changes of one prompt. Without the prompt's id OpenCode 1.18 returns nothing."""
        found = await self.call("session.diff", path={"sessionID": session_id}, query={"messageID": message_id})
        return FileDiff.read_list(found)

    async def session_revert(self, session_id: str, message_id: str) -> Session:
        """Call ``session.revert``. An unknown message changes nothing and is not an error."""
        body = {"messageID": message_id}
        return session_of(await self.call("session.revert", path={"sessionID": session_id}, body=body))

    async def session_unrevert(self, session_id: str) -> Session:
        """Call ``session.unrevert``. If nothing is reverted, it changes nothing."""
        return session_of(await self.call("session.unrevert", path={"sessionID": session_id}))

    async def session_fork(self, session_id: str, message_id: str = "") -> Session:
        """Call ``session.fork``: copies the messages before a message; all of them if it is empty or unknown.

        ``session.update`` notes what was copied. A fork without the note is still a fork.
        """
        body = {"messageID": message_id} if message_id else {}
        fork = Session.read(await self.call("session.fork", path={"sessionID": session_id}, body=body))
        try:
            # The reply is from before the copying; the session then counts what was copied.
            fork = Session.read(await self.call("session.get", path={"sessionID": fork.id}))
            await self.session_set_metadata(fork, fork_metadata(fork, session_id))
            return await self.session_get(fork.id)
        except BridgeError as error:
            logger.warning("cannot note what the fork %s copied: %s", fork.id, error)
            return fork

    async def session_abort(self, session_id: str, directory: str) -> None:
        """Call ``session.abort``. It succeeds for idle and unknown sessions too."""
        await self.call("session.abort", path={"sessionID": session_id}, directory=directory)

    # --- Messages

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> Receipt:
        """Call ``session.prompt_async``. Status 204 means that the prompt was received, not that it was accepted."""
        path, body = {"sessionID": session_id}, prompt_body(prompt)
        await self.call(
            "session.prompt_async", path=path, body=body, directory=directory, timeout=timeout, queued=False
        )
        return Receipt(message_id=prompt.message_id)

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float, begin_within: float
    ) -> Receipt:
        """Call ``session.command``, which answers when the run has ended."""
        del begin_within
        chosen = {"agent": command.agent, "model": command.model}
        body: JsonObject = {
            "messageID": command.message_id,
            "command": command.name,
            "arguments": command.arguments,
            **{name: value for name, value in chosen.items() if value},
        }
        path = {"sessionID": session_id}
        await self.call("session.command", path=path, body=body, directory=directory, timeout=timeout, queued=False)
        return Receipt(message_id=command.message_id)

    async def submit_shell(self, session_id: str, directory: str, shell: "ShellSubmission", *, timeout: float) -> None:
        """Call ``session.shell``, which answers when the command has ended."""
        path, body = (
            {"sessionID": session_id},
            {"messageID": shell.message_id, "agent": shell.agent, "command": shell.line},
        )
        await self.call("session.shell", path=path, body=body, directory=directory, timeout=timeout, queued=False)

    async def running_shell(self, session_id: str, directory: str) -> str:
        """Return nothing: a session is busy in ``session.status`` while a shell line runs in it."""
        del session_id, directory
        return ""

    async def pending_prompts(self, session_id: str) -> list[str]:
        """Return nothing: OpenCode 1 begins every prompt that it has."""
        del session_id
        return []

    async def withdraw_prompt(self, session_id: str, message_id: str) -> bool:
        """Return False: there is nothing to take back."""
        del session_id, message_id
        return False

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """Call ``session.messages``: at most the newest ``limit``, oldest first, and the cursor of the older ones.

        The page is shorter if a full one would be too large. OpenCode 1.18.33 cannot encode a page that contains a
        prompt with ``format`` and reaches the beginning of the session; then, too, the page is shorter, and if such a
        prompt is the first message of the session, it is left out. No cursor leads to it.
        """
        is_spoiled = False
        while limit:
            try:
                page = await self._page(session_id, limit, before)
            except BackendFailed as error:
                if not _may_be_shorter(error, limit):
                    raise
                is_spoiled = is_spoiled or is_unreadable(error)
                limit //= 2
            else:
                return await self._without_empty_rest(session_id, page) if is_spoiled else page
        return Page([], "")

    async def _page(self, session_id: str, limit: int, before: str) -> Page[Message]:
        row = self._table.operation("session.messages")
        query = {"limit": limit, "before": before or None}
        reply = await self._sender.send(encode(row, path={"sessionID": session_id}, query=query))
        return Page(Message.read_list(decode(row, reply)), reply.headers.get("x-next-cursor", ""))

    async def _without_empty_rest(self, session_id: str, page: Page[Message]) -> Page[Message]:
        """Return a page without its cursor if only a prompt that cannot be read is older."""
        if not page.cursor:
            return page
        rest = await self.session_messages(session_id, limit=1, before=page.cursor)
        return page if rest.items else Page(page.items, "")

    async def session_message(self, session_id: str, message_id: str) -> Message:
        """Call ``session.message``."""
        path = {"sessionID": session_id, "messageID": message_id}
        return Message.read(await self.call("session.message", path=path))

    async def tool_call(self, session_id: str, message_id: str, call_id: str) -> ToolPart | None:
        """Call ``session.message``."""
        return (await self.session_message(session_id, message_id)).tool_call(call_id)

    # --- Requests

    async def permissions(self, directory: str) -> list[Permission]:
        """Call ``permission.list``. It may list ended sessions; see ``runs/requests/open_requests.py``."""
        return Permission.read_list(await self.call("permission.list", directory=directory))

    async def permission_reply(
        self, permission: Permission, directory: str, decision: PermissionDecision, message: str = ""
    ) -> None:
        """Call ``permission.reply``. Without the session's own directory OpenCode does not find the request."""
        body = {"reply": decision} | ({"message": message} if message else {})
        await self.call("permission.reply", path={"requestID": permission.id}, body=body, directory=directory)

    async def questions(self, directory: str) -> list[Question]:
        """Call ``question.list``."""
        return Question.read_list(await self.call("question.list", directory=directory))

    async def question_reply(self, question: Question, directory: str, answers: Sequence[Sequence[str]]) -> None:
        """Call ``question.reply``."""
        body = {"answers": [list(answer) for answer in answers]}
        await self.call("question.reply", path={"requestID": question.id}, body=body, directory=directory)

    async def question_reject(self, question: Question, directory: str) -> None:
        """Call ``question.reject``."""
        await self.call("question.reject", path={"requestID": question.id}, directory=directory)

    # --- Files

    async def file_list(self, directory: str, path: str) -> list[FileNode]:
        """Call ``file.list``. OpenCode fails with 500 for a missing folder."""
        return FileNode.read_list(await self.call("file.list", query={"path": path}, directory=directory))

    def file_bytes(self, directory: str, path: str) -> AbstractAsyncContextManager[Body]:
        """Call ``v2.fs.read``: the unchanged bytes of a file. ``file.read`` would strip white space at both ends."""
        return self._sender.stream(
            encode(self._table.operation("v2.fs.read"), path={"path": path}, directory=directory)
        )

    async def find_text(self, directory: str, pattern: str) -> list[TextMatch]:
        """Call ``find.text``: the first ten matches, in no order."""
        return TextMatch.read_list(await self.call("find.text", query={"pattern": pattern}, directory=directory))

    async def find_symbols(self, directory: str, query: str) -> list[SymbolMatch]:
        """Call ``find.symbols``. OpenCode 1.18 always returns an empty list."""
        return SymbolMatch.read_list(await self.call("find.symbols", query={"query": query}, directory=directory))

    async def vcs_diff(self, directory: str, mode: str) -> list[FileDiff]:
        """Call ``vcs.diff``: the changes since the last commit (``git``) or against the default branch (``branch``)."""
        return FileDiff.read_list(await self.call("vcs.diff", query={"mode": mode}, directory=directory))

    async def vcs(self, directory: str) -> Vcs:
        """Call ``vcs.get``."""
        return Vcs.read(await self.call("vcs.get", directory=directory))

    async def vcs_status(self, directory: str) -> list[UncommittedFile]:
        """Call ``vcs.status``: the files that differ from the last commit."""
        return UncommittedFile.read_list(await self.call("vcs.status", directory=directory))

    async def worktree_create(self, directory: str, name: str) -> NewWorktree:
        """Call ``worktree.create``, which answers before the files of the last commit are written."""
        return NewWorktree.read(await self.call("worktree.create", body={"name": name}, directory=directory))

    async def worktrees(self, directory: str) -> list[str]:
        """Call ``worktree.list``."""
        return as_texts(await self.call("worktree.list", directory=directory))

    async def worktree_remove(self, directory: str, worktree: str) -> None:
        """Call ``worktree.remove``."""
        await self.call("worktree.remove", body={"directory": worktree}, directory=directory)


def prompt_body(prompt: "PromptSubmission") -> "JsonObject":
    """Return the body of ``session.prompt_async``; what was not chosen is left out."""
    files = [{"type": "file", **file._asdict()} for file in prompt.files]
    body: dict[str, object] = {"messageID": prompt.message_id, "parts": [{"type": "text", "text": prompt.text}, *files]}
    if prompt.agent:
        body["agent"] = prompt.agent
    if prompt.model:
        provider, _, model = prompt.model.partition("/")
        body["model"] = {"providerID": provider, "modelID": model}
    if prompt.variant:
        body["variant"] = prompt.variant
    if prompt.output_schema is not None:
        body["format"] = {"type": "json_schema", "schema": prompt.output_schema}
    return body


def _may_be_shorter(error: BackendFailed, limit: int) -> bool:
    """Return True if a page failed because of what a shorter one may not have."""
    return is_unreadable(error) or (error.kind == TOO_LARGE and limit > 1)


def _sessions_of(value: object) -> list[Session]:
    """Parse a list of sessions; one that cannot be parsed is dropped.

    Raises:
        BackendFailed: The value is no list, or none of its entries can be parsed.
    """
    if not isinstance(value, list):
        raise BackendFailed("OpenCode sent no list of Session.")
    return read_each(session_of, cast("list[object]", value))


def _read_map(kind: type[W], value: object) -> dict[str, W]:
    if not isinstance(value, Mapping):
        raise BackendFailed(f"OpenCode sent no map of {kind.__name__}.")
    return {str(name): kind.read(item) for name, item in cast("Mapping[object, object]", value).items()}

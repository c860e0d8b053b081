"""The typed calls that the upper layers need; each goes through a row of the operation table.

A method is named after its operation (``session.prompt_async`` is ``session_prompt_async``) and raises what
``codec.decode`` and the door raise, unless it says more. What only forwards stays out: the table reaches it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    NotOpenCode,
    OperatorError,
)
from opencode_mcp.opencode.clock import Clock
from opencode_mcp.opencode.codec import Reply, Request, decode, encode, is_unreadable
from opencode_mcp.opencode.models import (
    Agent,
    ChangedFile,
    Command,
    Config,
    FileContent,
    FileDiff,
    FileNode,
    Health,
    McpStatus,
    Message,
    Paths,
    Permission,
    Providers,
    Question,
    Session,
    SessionStatus,
    SymbolMatch,
    TextMatch,
    Todo,
    Vcs,
    Wire,
)
from opencode_mcp.opencode.operations.catalog import operation
from opencode_mcp.opencode.transport import READ_TIMEOUT, TOO_LARGE, Body
from opencode_mcp.opencode.versions import check_version, too_old, versions_tested

JsonObject = Mapping[str, object]


class Door(Protocol):
    """What carries requests: a ``Transport``, or a ``Connection`` that finds one."""

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        ...

    async def send(self, request: Request, *, timeout: float = READ_TIMEOUT) -> Reply:
        """Send a request and read its whole reply."""
        ...

    def stream(self, request: Request, *, timeout: float = READ_TIMEOUT) -> AbstractAsyncContextManager[Body]:
        """Send a request and read its reply's body as it comes."""
        ...

    def events(self, request: Request, *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open a stream of server-sent events."""
        ...


T = TypeVar("T")
W = TypeVar("W", bound=Wire)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next one; empty at the end."""

    items: list[T]
    cursor: str


class OpenCodeClient:
    """Calls one OpenCode.

    Args:
        door: What carries the requests.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def clock(self) -> Clock:
        """The server's clock, as far as its replies have told."""
        return self._door.clock

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: JsonObject | None = None,
        body: object = None,
        directory: str = "",
        timeout: float = READ_TIMEOUT,
    ) -> object:
        """Call any operation; the arguments are those of ``codec.encode``, the time-out is in seconds."""
        row = operation(operation_id)
        request = encode(row, path=path, query=query, body=body, directory=directory)
        return decode(row, await self._door.send(request, timeout=timeout))

    def global_event(self, *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """The events of every directory, as JSON texts; seconds of silence end the stream."""
        return self._door.events(encode(operation("global.event")), silence=silence)

    # The server

    async def health(self, *, timeout: float = READ_TIMEOUT) -> Health:
        """Ask whether this is an OpenCode, and which.

        Raises:
            UnsupportedVersion: It is too old.
            NotOpenCode: Something else answers there.
        """
        try:
            health = Health.read(await self.call("global.health", timeout=timeout))
        except (BackendUnavailable, BackendTimeout, OperatorError):
            raise
        except BridgeError as error:
            if await self._is_old_opencode(timeout):
                raise too_old() from error
            hint = f"Check the URL and its port. OpenCode {versions_tested()} is known to work."
            raise NotOpenCode("What answers there is not an OpenCode server.", hint=hint) from error
        check_version(health.version)
        return health

    async def _is_old_opencode(self, timeout: float) -> bool:
        """Whether what has no ``global.health`` is an OpenCode from before there was one."""
        try:
            value = await self.call("path.get", timeout=timeout)
        except BridgeError:
            return False
        return isinstance(value, Mapping) and {"directory", "worktree"} <= cast("Mapping[str, object]", value).keys()

    async def path(self, directory: str = "") -> Paths:
        """``path.get``."""
        return Paths.read(await self.call("path.get", directory=directory))

    async def providers(self, directory: str = "") -> Providers:
        """``provider.list``: every provider and model that OpenCode knows, 7 MB, which take it seconds to write.

        It is read only to explain a name; ``used_providers`` tells what can be used. OpenCode 1.18 counts a provider as
        connected as soon as its credentials are there, and uses it only in a new instance: so what is connected is
        taken from ``config.providers``.
        """
        known = Providers.read(await self.call("provider.list", directory=directory))
        used = await self.used_providers(directory)
        return Providers(all=known.all, default=known.default, connected=used.connected)

    async def used_providers(self, directory: str) -> Providers:
        """``config.providers``: those that OpenCode uses, with their models; a thousandth of ``provider.list``."""
        used = Providers.read(await self.call("config.providers", directory=directory))
        return Providers(all=used.providers, connected=[provider.id for provider in used.providers])

    async def agents(self, directory: str) -> list[Agent]:
        """``app.agents``, without those that OpenCode hides."""
        return [
            agent for agent in Agent.read_list(await self.call("app.agents", directory=directory)) if not agent.hidden
        ]

    async def config(self, directory: str) -> Config:
        """``config.get``; of all that it holds, keys included, only what the model names is read."""
        value = await self.call("config.get", directory=directory)
        if not isinstance(value, Mapping):
            raise BackendFailed("OpenCode sent no configuration.")
        return Config(model=str(cast("Mapping[str, object]", value).get("model") or ""))

    async def commands(self, directory: str) -> list[Command]:
        """``command.list``."""
        return Command.read_list(await self.call("command.list", directory=directory))

    async def mcp_status(self, directory: str) -> dict[str, McpStatus]:
        """``mcp.status``, by server name."""
        return _read_map(McpStatus, await self.call("mcp.status", directory=directory))

    async def instance_dispose(self, directory: str) -> None:
        """``instance.dispose``: ends what runs in a directory; the next call there reads OpenCode's files again."""
        await self.call("instance.dispose", directory=directory)

    # Sessions

    async def session_create(self, directory: str, body: JsonObject) -> Session:
        """``session.create``."""
        return Session.read(await self.call("session.create", body=body, directory=directory))

    async def session_get(self, session_id: str, directory: str = "") -> Session:
        """``session.get``; the session's own directory is chosen by OpenCode, and one that is given is opened first."""
        return Session.read(await self.call("session.get", path={"sessionID": session_id}, directory=directory))

    async def sessions(self, directory: str, query: JsonObject) -> list[Session]:
        """``session.list``: one directory's, newest first."""
        return Session.read_list(await self.call("session.list", query=query, directory=directory))

    async def all_sessions(self, query: JsonObject, directory: str = "") -> Page[Session]:
        """``experimental.session.list``: every directory's, or one's, newest first."""
        row = operation("experimental.session.list")
        reply = await self._door.send(encode(row, query=query, directory=directory))
        return Page(Session.read_list(decode(row, reply)), reply.headers.get("x-next-cursor", ""))

    async def session_children(self, session_id: str) -> list[Session]:
        """``session.children``: the sessions of its subagents."""
        return Session.read_list(await self.call("session.children", path={"sessionID": session_id}))

    async def session_status(self, directory: str, *, timeout: float = READ_TIMEOUT) -> dict[str, SessionStatus]:
        """``session.status``: the busy and retrying sessions of a directory; a session that is not there is idle."""
        return _read_map(SessionStatus, await self.call("session.status", directory=directory, timeout=timeout))

    async def session_todo(self, session_id: str) -> list[Todo]:
        """``session.todo``."""
        return Todo.read_list(await self.call("session.todo", path={"sessionID": session_id}))

    async def session_diff(self, session_id: str, message_id: str) -> list[FileDiff]:
        """``session.diff``: what one prompt changed; without the prompt's id OpenCode 1.18 answers nothing."""
        found = await self.call("session.diff", path={"sessionID": session_id}, query={"messageID": message_id})
        return FileDiff.read_list(found)

    async def session_revert(self, session_id: str, message_id: str) -> Session:
        """``session.revert``: an unknown message changes nothing and is no failure."""
        body = {"messageID": message_id}
        return Session.read(await self.call("session.revert", path={"sessionID": session_id}, body=body))

    async def session_unrevert(self, session_id: str) -> Session:
        """``session.unrevert``: where nothing is undone it changes nothing."""
        return Session.read(await self.call("session.unrevert", path={"sessionID": session_id}))

    async def session_fork(self, session_id: str, message_id: str = "") -> Session:
        """``session.fork``: copies what comes before a message; everything without one, or with an unknown one."""
        body = {"messageID": message_id} if message_id else {}
        return Session.read(await self.call("session.fork", path={"sessionID": session_id}, body=body))

    async def session_abort(self, session_id: str, directory: str) -> None:
        """``session.abort``: true for an idle and for an unknown session too."""
        await self.call("session.abort", path={"sessionID": session_id}, directory=directory)

    # Messages

    async def session_prompt_async(
        self, session_id: str, directory: str, body: JsonObject, *, timeout: float = READ_TIMEOUT
    ) -> None:
        """``session.prompt_async``: 204 says that it was received, not that it was accepted."""
        path = {"sessionID": session_id}
        await self.call("session.prompt_async", path=path, body=body, directory=directory, timeout=timeout)

    async def session_command(self, session_id: str, directory: str, body: JsonObject, *, timeout: float) -> None:
        """``session.command``: answers when the run has ended; goes on though nobody waits for the answer."""
        path = {"sessionID": session_id}
        await self.call("session.command", path=path, body=body, directory=directory, timeout=timeout)

    async def session_shell(self, session_id: str, directory: str, body: JsonObject, *, timeout: float) -> None:
        """``session.shell``: answers when the command has ended; goes on though nobody waits for the answer."""
        path = {"sessionID": session_id}
        await self.call("session.shell", path=path, body=body, directory=directory, timeout=timeout)

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """``session.messages``: the newest ``limit`` or fewer, oldest first, and the cursor of the older ones.

        The page is shorter where a whole one would be too large to take. OpenCode 1.18.33 cannot encode a page that
        holds a prompt with ``format`` and reaches the session's beginning: then, too, the page is shorter, and where
        such a prompt is the session's first message, it is left out.
        """
        row = operation("session.messages")
        query = {"limit": limit, "before": before or None}
        try:
            reply = await self._door.send(encode(row, path={"sessionID": session_id}, query=query))
            return Page(Message.read_list(decode(row, reply)), reply.headers.get("x-next-cursor", ""))
        except BackendFailed as error:
            if not is_unreadable(error) and (error.kind != TOO_LARGE or limit == 1):
                raise
        return await self.session_messages(session_id, limit=limit // 2, before=before) if limit > 1 else Page([], "")

    async def session_message(self, session_id: str, message_id: str) -> Message:
        """``session.message``."""
        path = {"sessionID": session_id, "messageID": message_id}
        return Message.read(await self.call("session.message", path=path))

    # Requests

    async def permissions(self, directory: str) -> list[Permission]:
        """``permission.list``: may hold entries of sessions that ended; see ``runs/requests/open_requests.py``."""
        return Permission.read_list(await self.call("permission.list", directory=directory))

    async def permission_reply(self, request_id: str, directory: str, body: JsonObject) -> None:
        """``permission.reply``; without the session's own directory OpenCode does not find the request."""
        await self.call("permission.reply", path={"requestID": request_id}, body=body, directory=directory)

    async def questions(self, directory: str) -> list[Question]:
        """``question.list``."""
        return Question.read_list(await self.call("question.list", directory=directory))

    async def question_reply(self, request_id: str, directory: str, answers: Sequence[Sequence[str]]) -> None:
        """``question.reply``: for each question the labels, or own words."""
        body = {"answers": [list(answer) for answer in answers]}
        await self.call("question.reply", path={"requestID": request_id}, body=body, directory=directory)

    async def question_reject(self, request_id: str, directory: str) -> None:
        """``question.reject``."""
        await self.call("question.reject", path={"requestID": request_id}, directory=directory)

    # Files

    async def file_list(self, directory: str, path: str) -> list[FileNode]:
        """``file.list``; a missing folder is a failure of OpenCode's (500)."""
        return FileNode.read_list(await self.call("file.list", query={"path": path}, directory=directory))

    async def file_read(self, directory: str, path: str) -> FileContent:
        """``file.read``; a missing file reads as an empty one."""
        return FileContent.read(await self.call("file.read", query={"path": path}, directory=directory))

    def file_bytes(self, directory: str, path: str) -> AbstractAsyncContextManager[Body]:
        """``v2.fs.read``: a file as it is; ``file.read`` would leave out white space at both ends."""
        return self._door.stream(encode(operation("v2.fs.read"), path={"path": path}, directory=directory))

    async def find_text(self, directory: str, pattern: str) -> list[TextMatch]:
        """``find.text``: the first ten matches that its search came upon, in no order."""
        return TextMatch.read_list(await self.call("find.text", query={"pattern": pattern}, directory=directory))

    async def find_symbols(self, directory: str, query: str) -> list[SymbolMatch]:
        """``find.symbols``: OpenCode 1.18 answers none, whatever is asked."""
        return SymbolMatch.read_list(await self.call("find.symbols", query={"query": query}, directory=directory))

    async def vcs_diff(self, directory: str, mode: str) -> list[FileDiff]:
        """``vcs.diff``: what differs from the last commit (``git``) or from the default branch (``branch``)."""
        return FileDiff.read_list(await self.call("vcs.diff", query={"mode": mode}, directory=directory))

    async def vcs(self, directory: str) -> Vcs:
        """``vcs.get``."""
        return Vcs.read(await self.call("vcs.get", directory=directory))

    async def vcs_status(self, directory: str) -> list[ChangedFile]:
        """``vcs.status``: the files that differ from the last commit."""
        return ChangedFile.read_list(await self.call("vcs.status", directory=directory))


def _read_map(kind: type[W], value: object) -> dict[str, W]:
    if not isinstance(value, Mapping):
        raise BackendFailed(f"OpenCode sent no map of {kind.__name__}.")
    return {str(name): kind.read(item) for name, item in cast("Mapping[object, object]", value).items()}

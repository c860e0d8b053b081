"""Client of the OpenCode server that is connected, of whichever generation it is.

It has the calls of ``adapter.Adapter``, where they are explained, and passes each on to the adapter of the server's
generation. A client over a ``Connection`` lives as long as the bridge, while the server behind it may be replaced by
one of another generation; so the adapter is chosen at each call.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Unpack

from opencode_mcp.opencode.detection import detect
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.operation_catalog.catalog import table_of
from opencode_mcp.opencode.v1 import adapter as v1
from opencode_mcp.opencode.v2 import adapter as v2
from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter

if TYPE_CHECKING:
    from opencode_mcp.opencode.adapter import Adapter
    from opencode_mcp.opencode.http_client.clock import Clock
    from opencode_mcp.opencode.http_client.transport import Body
    from opencode_mcp.opencode.operation_caller import CallArguments, RequestSender
    from opencode_mcp.opencode.tables.operation_table import OperationTable
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.opencode.vocabulary.backend_events import Event
    from opencode_mcp.opencode.vocabulary.command_source import CommandSource
    from opencode_mcp.opencode.vocabulary.features import Features
    from opencode_mcp.opencode.vocabulary.submission import (
        CommandSubmission,
        PromptSubmission,
        Receipt,
        SessionSettings,
        ShellSubmission,
    )
    from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Agent, Command
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff, FileNode, SymbolMatch, TextMatch
    from opencode_mcp.opencode.vocabulary.wire.message import Message
    from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
    from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, PermissionDecision, Question
    from opencode_mcp.opencode.vocabulary.wire.project_objects import NewWorktree, Paths, UncommittedFile, Vcs
    from opencode_mcp.opencode.vocabulary.wire.providers import Providers
    from opencode_mcp.opencode.vocabulary.wire.server_objects import Health, McpStatus
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo


class OpenCodeClient:
    """Client of one OpenCode server.

    Args:
        sender: Carries the requests.
    """

    def __init__(self, sender: "RequestSender") -> None:
        self._sender = sender
        self._adapters: dict[Generation, Adapter] = {}

    @property
    def clock(self) -> "Clock":
        """Return the server's clock, as far as its replies have set it."""
        return self._sender.clock

    async def generation(self) -> "Generation":
        """Return the generation of the server's API; a connection finds the server first."""
        return await self._sender.generation()

    async def adapter(self) -> "Adapter":
        """Return the adapter of the server's generation."""
        generation = await self._sender.generation()
        if generation not in self._adapters:
            kind = v2.OpenCode2 if generation == 2 else v1.OpenCode1  # noqa: PLR2004 - the name of a generation
            self._adapters[generation] = kind(self._sender, table_of(generation))
        return self._adapters[generation]

    async def features(self) -> "Features":
        """See ``Adapter.features``."""
        return (await self.adapter()).features

    async def table(self) -> "OperationTable":
        """Return the operations of the server's generation."""
        return table_of(await self._sender.generation())

    async def call(self, operation_id: str, **arguments: "Unpack[CallArguments]") -> object:
        """See ``Adapter.call``."""
        return await (await self.adapter()).call(operation_id, **arguments)

    # --- Server

    async def health(self, *, timeout: float = READ_TIMEOUT_SECONDS) -> "Health":
        """Check that the server is an OpenCode, and read its generation and version; see ``detection.detect``."""
        return await detect(self._sender, timeout=timeout)

    @asynccontextmanager
    async def events(self, *, silence: float) -> "AsyncGenerator[AsyncIterator[list[Event]]]":
        """See ``Adapter.events``."""
        async with (await self.adapter()).events(silence=silence) as opened:
            yield opened

    async def path(self, directory: str = "") -> "Paths":
        """See ``Adapter.path``."""
        return await (await self.adapter()).path(directory)

    async def providers(self, directory: str = "") -> "Providers":
        """See ``Adapter.providers``."""
        return await (await self.adapter()).providers(directory)

    async def used_providers(self, directory: str) -> "Providers":
        """See ``Adapter.used_providers``."""
        return await (await self.adapter()).used_providers(directory)

    async def agents(self, directory: str) -> "list[Agent]":
        """See ``Adapter.agents``."""
        return await (await self.adapter()).agents(directory)

    async def default_model(self, directory: str) -> str:
        """See ``Adapter.default_model``."""
        return await (await self.adapter()).default_model(directory)

    async def commands(self, directory: str) -> "list[Command]":
        """See ``Adapter.commands``."""
        return await (await self.adapter()).commands(directory)

    async def command_sources(self, directory: str) -> "list[CommandSource]":
        """See ``Adapter.command_sources``."""
        return await (await self.adapter()).command_sources(directory)

    async def mcp_status(self, directory: str) -> "dict[str, McpStatus]":
        """See ``Adapter.mcp_status``."""
        return await (await self.adapter()).mcp_status(directory)

    async def open_project(self, directory: str) -> None:
        """See ``Adapter.open_project``."""
        await (await self.adapter()).open_project(directory)

    async def prepare_runs(self, directory: str) -> None:
        """See ``Adapter.prepare_runs``."""
        await (await self.adapter()).prepare_runs(directory)

    async def instance_dispose(self, directory: str) -> None:
        """See ``Adapter.instance_dispose``."""
        await (await self.adapter()).instance_dispose(directory)

    # --- Sessions

    async def session_create(
        self,
        directory: str,
        *,
        title: str = "",
        metadata: Mapping[str, object] | None = None,
        settings: "SessionSettings | None" = None,
    ) -> "Session":
        """See ``Adapter.session_create``."""
        adapter = await self.adapter()
        return await adapter.session_create(directory, title=title, metadata=metadata, settings=settings)

    async def session_get(self, session_id: str, directory: str = "") -> "Session":
        """See ``Adapter.session_get``."""
        return await (await self.adapter()).session_get(session_id, directory)

    async def session_set_metadata(self, session: "Session", metadata: Mapping[str, object]) -> None:
        """See ``Adapter.session_set_metadata``."""
        await (await self.adapter()).session_set_metadata(session, metadata)

    async def session_rename(self, session: "Session", title: str) -> None:
        """See ``Adapter.session_rename``."""
        await (await self.adapter()).session_rename(session, title)

    async def session_archive(self, session: "Session", *, archived: bool) -> None:
        """See ``Adapter.session_archive``."""
        await (await self.adapter()).session_archive(session, archived=archived)

    async def session_delete(self, session_id: str) -> None:
        """See ``Adapter.session_delete``."""
        await (await self.adapter()).session_delete(session_id)

    async def all_sessions(self, wanted: SessionFilter, directory: str = "") -> "Page[Session]":
        """See ``Adapter.all_sessions``."""
        return await (await self.adapter()).all_sessions(wanted, directory)

    async def session_children(self, session_id: str) -> "list[Session]":
        """See ``Adapter.session_children``."""
        return await (await self.adapter()).session_children(session_id)

    async def session_status(self, directory: str) -> "dict[str, SessionStatus]":
        """See ``Adapter.session_status``."""
        return await (await self.adapter()).session_status(directory)

    async def running_sessions(self, directory: str) -> list[str]:
        """See ``Adapter.running_sessions``."""
        return await (await self.adapter()).running_sessions(directory)

    async def sessions_in_use(self, since: float) -> "list[Session]":
        """See ``Adapter.sessions_in_use``."""
        return await (await self.adapter()).sessions_in_use(since)

    async def session_pause(self, session_id: str) -> "SessionStatus | None":
        """See ``Adapter.session_pause``."""
        return await (await self.adapter()).session_pause(session_id)

    async def session_todo(self, session_id: str) -> "list[Todo]":
        """See ``Adapter.session_todo``."""
        return await (await self.adapter()).session_todo(session_id)

    async def session_diff(self, session_id: str, message_id: str) -> "list[FileDiff]":
        """See ``Adapter.session_diff``."""
        return await (await self.adapter()).session_diff(session_id, message_id)

    async def session_revert(self, session_id: str, message_id: str) -> "Session":
        """See ``Adapter.session_revert``."""
        return await (await self.adapter()).session_revert(session_id, message_id)

    async def session_unrevert(self, session_id: str) -> "Session":
        """See ``Adapter.session_unrevert``."""
        return await (await self.adapter()).session_unrevert(session_id)

    async def session_fork(self, session_id: str, message_id: str = "") -> "Session":
        """See ``Adapter.session_fork``."""
        return await (await self.adapter()).session_fork(session_id, message_id)

    async def session_abort(self, session_id: str, directory: str) -> None:
        """See ``Adapter.session_abort``."""
        await (await self.adapter()).session_abort(session_id, directory)

    # --- Messages

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> "Receipt":
        """See ``Adapter.submit_prompt``."""
        return await (await self.adapter()).submit_prompt(session_id, directory, prompt, timeout=timeout)

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float, begin_within: float
    ) -> "Receipt":
        """See ``Adapter.submit_command``."""
        adapter = await self.adapter()
        return await adapter.submit_command(session_id, directory, command, timeout=timeout, begin_within=begin_within)

    async def submit_shell(self, session_id: str, directory: str, shell: "ShellSubmission", *, timeout: float) -> None:
        """See ``Adapter.submit_shell``."""
        await (await self.adapter()).submit_shell(session_id, directory, shell, timeout=timeout)

    async def running_shell(self, session_id: str, directory: str) -> str:
        """See ``Adapter.running_shell``."""
        return await (await self.adapter()).running_shell(session_id, directory)

    async def pending_prompts(self, session_id: str) -> list[str]:
        """See ``Adapter.pending_prompts``."""
        return await (await self.adapter()).pending_prompts(session_id)

    async def withdraw_prompt(self, session_id: str, message_id: str) -> bool:
        """See ``Adapter.withdraw_prompt``."""
        return await (await self.adapter()).withdraw_prompt(session_id, message_id)

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> "Page[Message]":
        """See ``Adapter.session_messages``."""
        return await (await self.adapter()).session_messages(session_id, limit=limit, before=before)

    async def session_message(self, session_id: str, message_id: str) -> "Message":
        """See ``Adapter.session_message``."""
        return await (await self.adapter()).session_message(session_id, message_id)

    async def tool_call(self, session_id: str, message_id: str, call_id: str) -> "ToolPart | None":
        """See ``Adapter.tool_call``."""
        return await (await self.adapter()).tool_call(session_id, message_id, call_id)

    # --- Requests

    async def permissions(self, directory: str) -> "list[Permission]":
        """See ``Adapter.permissions``."""
        return await (await self.adapter()).permissions(directory)

    async def permission_reply(
        self, permission: "Permission", directory: str, decision: "PermissionDecision", message: str = ""
    ) -> None:
        """See ``Adapter.permission_reply``."""
        await (await self.adapter()).permission_reply(permission, directory, decision, message)

    async def questions(self, directory: str) -> "list[Question]":
        """See ``Adapter.questions``."""
        return await (await self.adapter()).questions(directory)

    async def question_reply(self, question: "Question", directory: str, answers: Sequence[Sequence[str]]) -> None:
        """See ``Adapter.question_reply``."""
        await (await self.adapter()).question_reply(question, directory, answers)

    async def question_reject(self, question: "Question", directory: str) -> None:
        """See ``Adapter.question_reject``."""
        await (await self.adapter()).question_reject(question, directory)

    # --- Files

    async def file_list(self, directory: str, path: str) -> "list[FileNode]":
        """See ``Adapter.file_list``."""
        return await (await self.adapter()).file_list(directory, path)

    @asynccontextmanager
    async def file_bytes(self, directory: str, path: str) -> "AsyncGenerator[Body]":
        """See ``Adapter.file_bytes``."""
        async with (await self.adapter()).file_bytes(directory, path) as opened:
            yield opened

    async def find_text(self, directory: str, pattern: str) -> "list[TextMatch]":
        """See ``Adapter.find_text``."""
        return await (await self.adapter()).find_text(directory, pattern)

    async def find_symbols(self, directory: str, query: str) -> "list[SymbolMatch]":
        """See ``Adapter.find_symbols``."""
        return await (await self.adapter()).find_symbols(directory, query)

    async def vcs_diff(self, directory: str, mode: str) -> "list[FileDiff]":
        """See ``Adapter.vcs_diff``."""
        return await (await self.adapter()).vcs_diff(directory, mode)

    async def vcs(self, directory: str) -> "Vcs":
        """See ``Adapter.vcs``."""
        return await (await self.adapter()).vcs(directory)

    async def vcs_status(self, directory: str) -> "list[UncommittedFile]":
        """See ``Adapter.vcs_status``."""
        return await (await self.adapter()).vcs_status(directory)

    async def worktree_create(self, directory: str, name: str) -> "NewWorktree":
        """See ``Adapter.worktree_create``."""
        return await (await self.adapter()).worktree_create(directory, name)

    async def worktrees(self, directory: str) -> list[str]:
        """See ``Adapter.worktrees``."""
        return await (await self.adapter()).worktrees(directory)

    async def worktree_remove(self, directory: str, worktree: str) -> None:
        """See ``Adapter.worktree_remove``."""
        await (await self.adapter()).worktree_remove(directory, worktree)

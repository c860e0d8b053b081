"""Calls that the layers above need of OpenCode, in the words of the bridge, for either generation of its API.

``v1/adapter.py`` and ``v2/adapter.py`` implement them. The types that go in and out are those of ``vocabulary/wire/``,
``submission.py`` and ``backend_events.py``. Every method raises ``BridgeError``: what ``codec.decode`` and the sender
raise, unless its docstring says more. A directory is the absolute path of a project; an empty one leaves the choice to
OpenCode.

Operations that would only be forwarded have no method: callers reach them through the table.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Unpack

from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from opencode_mcp.opencode.http_client.transport import Body
    from opencode_mcp.opencode.operation_caller import CallArguments
    from opencode_mcp.opencode.vocabulary.backend_events import Event
    from opencode_mcp.opencode.vocabulary.command_source import CommandSource
    from opencode_mcp.opencode.vocabulary.features import Features
    from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter
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
    from opencode_mcp.opencode.vocabulary.wire.server_objects import McpStatus
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo


class Adapter(Protocol):
    """Calls of one generation of OpenCode."""

    @property
    def features(self) -> "Features":
        """Return the abilities of this generation."""
        ...

    async def call(self, operation_id: str, **arguments: "Unpack[CallArguments]") -> object:
        """Call any operation of this generation; see ``OperationCaller.call``."""
        ...

    # --- Server

    def events(self, *, silence: float) -> "AbstractAsyncContextManager[AsyncIterator[list[Event]]]":
        """Follow the events of every directory; ``silence`` seconds without data end the stream.

        The iterator has one list for each line of the stream, mostly an empty one. The first list says that the stream
        is connected.
        """
        ...

    async def path(self, directory: str = "") -> "Paths":
        """Return the folders that OpenCode uses for a directory."""
        ...

    async def providers(self, directory: str = "") -> "Providers":
        """Return every provider that OpenCode knows, and which of them have credentials."""
        ...

    async def used_providers(self, directory: str) -> "Providers":
        """Return the providers in use, with their models."""
        ...

    async def agents(self, directory: str) -> "list[Agent]":
        """Return the agents of a directory, without those that OpenCode hides."""
        ...

    async def default_model(self, directory: str) -> str:
        """Return the configured model of a directory as ``provider/model``; empty if none is configured."""
        ...

    async def commands(self, directory: str) -> "list[Command]":
        """Return the slash commands of a directory."""
        ...

    async def command_sources(self, directory: str) -> "list[CommandSource]":
        """Return the places that define slash commands; none from OpenCode 1, whose commands have their templates."""
        ...

    async def mcp_status(self, directory: str) -> "dict[str, McpStatus]":
        """Return the states of the MCP servers that OpenCode uses, by their names."""
        ...

    async def open_project(self, directory: str) -> None:
        """Wait until OpenCode has opened a directory, and knows its agents, models and commands."""
        ...

    async def prepare_runs(self, directory: str) -> None:
        """Do what a directory needs before its first run."""
        ...

    async def instance_dispose(self, directory: str) -> None:
        """Make the next call in a directory read OpenCode's files again; see ``Features.rereading``."""
        ...

    # --- Sessions

    async def session_create(
        self,
        directory: str,
        *,
        title: str = "",
        metadata: Mapping[str, object] | None = None,
        settings: "SessionSettings | None" = None,
    ) -> "Session":
        """Create a session; OpenCode 1 has no settings of a session, only of a prompt."""
        ...

    async def session_get(self, session_id: str, directory: str = "") -> "Session":
        """Return a session."""
        ...

    async def session_set_metadata(self, session: "Session", metadata: Mapping[str, object]) -> None:
        """Replace the metadata of a session."""
        ...

    async def session_rename(self, session: "Session", title: str) -> None:
        """Give a session another title; the session was read just now."""
        ...

    async def session_archive(self, session: "Session", *, archived: bool) -> None:
        """Hide a session from the lists, or show it again, which OpenCode 1 cannot; the session was read just now."""
        ...

    async def session_delete(self, session_id: str) -> None:
        """Delete a session with its subagents' sessions."""
        ...

    async def all_sessions(self, wanted: "SessionFilter", directory: str = "") -> "Page[Session]":
        """Return sessions of every directory, or of one, the latest changed first."""
        ...

    async def session_children(self, session_id: str) -> "list[Session]":
        """Return the sessions of a session's subagents."""
        ...

    async def session_status(self, directory: str) -> "dict[str, SessionStatus]":
        """Return the busy and retrying sessions; a session that is missing is idle.

        Those of the directory are there. OpenCode 2 has those of other directories too, so this is no list of what runs
        in a project; see ``running_sessions``.
        """
        ...

    async def running_sessions(self, directory: str) -> list[str]:
        """Return the ids of the busy sessions of one directory."""
        ...

    async def sessions_in_use(self, since: float) -> "list[Session]":
        """Return the sessions of all directories that may be busy, without subagents; no directory is opened for it.

        Args:
            since: Time in milliseconds since the epoch; sessions that have not changed since then are left out, unless
                OpenCode says that they are busy (``Features.busy_anywhere``).
        """
        ...

    async def session_pause(self, session_id: str) -> "SessionStatus | None":
        """Return the pause before the model of a busy session is asked again; see ``Features.retry_status``."""
        ...

    async def session_todo(self, session_id: str) -> "list[Todo]":
        """Return the todo list of a session; OpenCode 2 has none."""
        ...

    async def session_diff(self, session_id: str, message_id: str) -> "list[FileDiff]":
        """Return the changes of one prompt."""
        ...

    async def session_revert(self, session_id: str, message_id: str) -> "Session":
        """Undo everything from a message on, in the conversation and in the files."""
        ...

    async def session_unrevert(self, session_id: str) -> "Session":
        """Take a revert back. If nothing is reverted, it changes nothing."""
        ...

    async def session_fork(self, session_id: str, message_id: str = "") -> "Session":
        """Copy the messages before a message into a new session; all of them if the id is empty."""
        ...

    async def session_abort(self, session_id: str, directory: str) -> None:
        """Stop a session's run. It succeeds for idle and unknown sessions too."""
        ...

    # --- Messages

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> "Receipt":
        """Send a prompt; return when OpenCode has received it."""
        ...

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float, begin_within: float
    ) -> "Receipt":
        """Send a slash command once. Cancelling the call does not stop its run.

        Args:
            session_id: The session.
            directory: Its directory.
            command: The command.
            timeout: Seconds for the reply of an OpenCode that replies when the run has ended.
            begin_within: Seconds for finding the prompt of an OpenCode that replies when it has the command.
        """
        ...

    async def submit_shell(self, session_id: str, directory: str, shell: "ShellSubmission", *, timeout: float) -> None:
        """Send a shell command; return when it has ended. Cancelling the call does not stop it."""
        ...

    async def running_shell(self, session_id: str, directory: str) -> str:
        """Return the id of the shell line that runs in a session which counts as idle all the same; empty for none."""
        ...

    async def pending_prompts(self, session_id: str) -> list[str]:
        """Return the ids of the prompts that a session has accepted and not begun; OpenCode 1 has none."""
        ...

    async def withdraw_prompt(self, session_id: str, message_id: str) -> bool:
        """Take back a prompt that was not begun, and return whether that succeeded."""
        ...

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> "Page[Message]":
        """Return at most the newest ``limit`` messages, oldest first, and the cursor of the older ones."""
        ...

    async def session_message(self, session_id: str, message_id: str) -> "Message":
        """Return one message."""
        ...

    async def tool_call(self, session_id: str, message_id: str, call_id: str) -> "ToolPart | None":
        """Return a tool call of a message as it is now; ``None`` if the message has none with that id.

        Raises:
            NotFound: There is no such message.
        """
        ...

    # --- Requests

    async def permissions(self, directory: str) -> "list[Permission]":
        """Return the open permission requests of a directory; OpenCode 1 may list ended ones."""
        ...

    async def permission_reply(
        self, permission: "Permission", directory: str, decision: "PermissionDecision", message: str = ""
    ) -> None:
        """Answer a permission request. A rejection without a message ends the run."""
        ...

    async def questions(self, directory: str) -> "list[Question]":
        """Return the open questions of a directory."""
        ...

    async def question_reply(self, question: "Question", directory: str, answers: Sequence[Sequence[str]]) -> None:
        """Answer a question with the labels, or free text, for each of its items."""
        ...

    async def question_reject(self, question: "Question", directory: str) -> None:
        """Reject a question, which ends the run."""
        ...

    # --- Files

    async def file_list(self, directory: str, path: str) -> "list[FileNode]":
        """Return the entries of a folder."""
        ...

    def file_bytes(self, directory: str, path: str) -> "AbstractAsyncContextManager[Body]":
        """Read the unchanged bytes of a file."""
        ...

    async def find_text(self, directory: str, pattern: str) -> "list[TextMatch]":
        """Return the first matches of a regular expression in the files of a directory; OpenCode 2 cannot search."""
        ...

    async def find_symbols(self, directory: str, query: str) -> "list[SymbolMatch]":
        """Return the symbols that language servers find; often none."""
        ...

    async def vcs_diff(self, directory: str, mode: str) -> "list[FileDiff]":
        """Return the changes since the last commit (``git``), or against the default branch (``branch``)."""
        ...

    async def vcs(self, directory: str) -> "Vcs":
        """Return the branch of a directory."""
        ...

    async def vcs_status(self, directory: str) -> "list[UncommittedFile]":
        """Return the files that differ from the last commit."""
        ...

    async def worktree_create(self, directory: str, name: str) -> "NewWorktree":
        """Make a git worktree of the repository of a directory; its folder gets the name, unless that is taken.

        Raises:
            InvalidArgument: The directory is in no git repository, or git could not make it.
        """
        ...

    async def worktrees(self, directory: str) -> list[str]:
        """Return the directories of the git worktrees that OpenCode has made for the repository of a directory."""
        ...

    async def worktree_remove(self, directory: str, worktree: str) -> None:
        """Remove a git worktree of the repository of a directory, with its files, committed or not.

        OpenCode 1 also deletes the branch that is checked out there. It deletes any folder that is named, a worktree or
        not: the caller has seen it in ``worktrees``.
        """
        ...

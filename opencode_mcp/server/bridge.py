"""The bridge: the parts of the lower layers that tools, resources and prompts work with.

A part is made when a call first needs it, and the modules of the parts are lazy (``lazy_imports.py``): a host that only
lists tools waits for no HTTP client, and nothing connects before a call needs it.
"""

import logging
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context

from opencode_mcp.batch_queue import scope, task_queue
from opencode_mcp.batch_queue.queue_file import queue_file
from opencode_mcp.errors import BridgeError
from opencode_mcp.isolation import integration
from opencode_mcp.isolation import worktrees as isolation_worktrees
from opencode_mcp.launcher import outages
from opencode_mcp.opencode import any_operation
from opencode_mcp.remote_isolation import remote_integration, remote_records, remote_worktrees
from opencode_mcp.runs import commands, open_waits, run_life, run_note
from opencode_mcp.runs.answers import answer_rules, auto_reply, reply_sender, runs_under_policy
from opencode_mcp.runs.enforcement import limit_watch, verifier
from opencode_mcp.runs.prompting import reload
from opencode_mcp.runs.requests import open_requests
from opencode_mcp.runs.requests import permission_policy as policy
from opencode_mcp.runs.starting import session_lock
from opencode_mcp.server.access import fence, operation_arguments, operations_of_tools
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.execution import verify_commands
from opencode_mcp.server.access.missing_scopes import scope_of
from opencode_mcp.server.notifications import publisher
from opencode_mcp.server.shared_connection import Upstream
from opencode_mcp.server.slow_call_work import SlowCalls
from opencode_mcp.server.supervision import Supervision
from opencode_mcp.server.tokens.tickets import Tickets
from opencode_mcp.server.tokens.token_codec import TokenCodec
from opencode_mcp.workspace import files
from opencode_mcp.workspace.search import project_search, ripgrep, ripgrep_executable

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from opencode_mcp.events import hub
    from opencode_mcp.isolation import recorded_worktrees
    from opencode_mcp.launcher import connection
    from opencode_mcp.opencode import client
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.runs.starting import starting_runs
    from opencode_mcp.runs.verification.wanted_verification import Verify
    from opencode_mcp.server.access.operations_of_tools import OneOperation, Uses
    from opencode_mcp.server.notifications.subscriptions import Subscriptions
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

WorkArguments = TypeVarTuple("WorkArguments")
SLOW_CALL_SECONDS = 1.0
"""Time after which a call that waits for OpenCode sends progress. A normal start takes about two seconds."""


class Bridge:
    """The parts; it lives as long as the server runs.

    Args:
        settings: The operator's settings.
        task_group: Runs tasks that outlive a request.
        subscriptions: The clients that asked for notifications.
        upstream: The connection to OpenCode, if it is shared with other bridges; else the bridge makes its own.
    """

    def __init__(
        self,
        settings: "Settings",
        task_group: "TaskGroup",
        subscriptions: "Subscriptions",
        upstream: Upstream | None = None,
    ) -> None:
        self.settings = settings
        self.subscriptions = subscriptions
        self.tickets = Tickets()
        """The tickets that let each answer of a person, which a client carries, act once."""
        self.allowed = AllowedOperations(settings)
        """The operations that callers may call."""
        self.unlisted_tools = self.allowed.denied_tools
        """Tools of our own that no text suggests to call, since the server does not list them."""
        self.slow_calls = SlowCalls(self.spawn, SLOW_CALL_SECONDS)
        """The calls that wait for OpenCode, each of which sends progress if that takes long."""
        self._task_group = task_group
        self._shares = upstream is not None
        self._is_retired = False
        self._upstream = upstream or Upstream(settings, task_group)
        self._events_needed = anyio.Event()
        self.batches_needed = anyio.Event()
        """Set when the queue of batches is first used."""

    async def run_background_tasks(self) -> None:
        """Run what works beside the requests, from the first need of OpenCode's events until the server ends."""
        await self._events_needed.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.publisher.run)
            tasks.start_soon(self.auto_reply.watch)

    @property
    def connection(self) -> "connection.Connection":
        """Return the connection to OpenCode."""
        return self._upstream.connection

    @property
    def client(self) -> "client.OpenCodeClient":
        """Return the typed client for OpenCode's operations."""
        return self._upstream.client

    @cached_property
    def hub(self) -> "hub.Hub":
        """Return the hub of OpenCode's events; whatever first needs it starts the tasks that work on the events."""
        self._events_needed.set()
        return self._upstream.hub

    @cached_property
    def outages(self) -> "outages.Outages":
        """Return the part that waits for OpenCode when it has gone away."""
        return outages.Outages(self.hub.ensure)

    @cached_property
    def publisher(self) -> "publisher.Publisher":
        """Notifications about resources and lists, made of OpenCode's events."""
        return publisher.Publisher(self.hub, self.subscriptions, self.fence, attached=self.settings.attached)

    @cached_property
    def runs(self) -> "run_life.Runs":
        """Prompts, and the runs that follow from them."""
        state = self.settings.state_directory
        notes = run_note.Notes(TokenCodec(state, key_file=self.settings.key_file), self.policy)
        locks = session_lock.SessionLocks(state / "turns")
        return run_life.Runs(self.hub, notes, locks, self.instance_reload, self.worktrees.records)

    @cached_property
    def instance_reload(self) -> "reload.InstanceReload":
        """Makes OpenCode read its files again, where something was added to them."""
        environment = None if self.settings.remote else self.settings.environment
        return reload.InstanceReload(environment, refusal=self._reload_refusal())

    def _reload_refusal(self) -> str:
        """Give the reason why OpenCode may not be made to read its files again; empty: it may."""
        if self.settings.attached:
            return "This MCP server did not start that OpenCode, so it must not do that by itself."
        if self.allowed.denies(operations_of_tools.RELOAD) or self.settings.read_only:
            return "Whoever configured this MCP server denies that operation."
        return ""

    @property
    def starting(self) -> "starting_runs.StartingRuns":
        """Return the runs that are being started here for the principal of this bridge."""
        return self._upstream.starting(self.settings.principal)

    @cached_property
    def waits(self) -> "open_waits.OpenWaits":
        """The waits for runs that calls are in."""
        return open_waits.OpenWaits()

    @cached_property
    def commands(self) -> "commands.Commands":
        """Return the part that runs slash commands and shell lines."""
        return commands.Commands(self.runs, self.hub, self._task_group)

    @cached_property
    def requests(self) -> "open_requests.Requests":
        """Return the open permission requests and questions."""
        return open_requests.Requests(self.client, self.hub)

    @cached_property
    def answer_rules(self) -> "answer_rules.AnswerRules":
        """Decides who may answer what, by the operator's policy."""
        denied = frozenset(name for name, used in operations_of_tools.ANSWERS.items() if self.allowed.denies(used))
        missing_scope = scope_of("execute", self.settings)
        return answer_rules.AnswerRules(self.policy, self.settings.read_only, denied, missing_scope)

    @cached_property
    def reply_sender(self) -> "reply_sender.ReplySender":
        """Return the sender of replies to OpenCode's requests; all replies use it."""
        return reply_sender.ReplySender(
            self.client, self.requests, self.runs, self.answer_rules, self.fence.session, lambda: self._is_retired
        )

    @cached_property
    def policy(self) -> "policy.Policy":
        """Return the operator's rules for permissions."""
        return policy.Policy(self.settings.permissions, self.settings.permission_rules)

    @cached_property
    def auto_reply(self) -> "auto_reply.AutoReply":
        """Return the task that answers permission requests by the operator's policy, also while no call waits."""
        return auto_reply.AutoReply(self.hub, self.requests, self.reply_sender)

    @cached_property
    def runs_under_policy(self) -> "runs_under_policy.RunsUnderPolicy":
        """Return the part that waits for runs and reports them, while policy answers what it decides."""
        return runs_under_policy.RunsUnderPolicy(self.runs, self.auto_reply, self.reply_sender)

    @cached_property
    def supervision(self) -> "Supervision":
        """Return the part that holds runs to their limits and verifies their work, also while no call waits."""
        watch = limit_watch.LimitWatch(self.hub, self.runs, self.requests, self._task_group)
        return Supervision(self.settings, self.allowed, self.auto_reply, watch, self._verifier())

    def _verifier(self) -> "verifier.Verifier":
        settings = self.settings
        locks = settings.state_directory / "verifications"
        parts = verifier.CommandParts(self.local_worktrees, settings.environment, locks, self._may_verify)
        return verifier.Verifier(self.hub, self.runs, self.requests, self._task_group, parts)

    def _may_verify(self, request: "Verify") -> bool:
        """Return True if the settings allow a verification that another bridge has begun."""
        return verify_commands.may_verify(self.settings, self.allowed, self.policy, request)

    @property
    def has_queue(self) -> bool:
        """Return True if there is a queue, which may hold tasks of a bridge that has ended."""
        return queue_file(self.settings.state_directory).exists()

    @cached_property
    def batches(self) -> "task_queue.Queue":
        """Return the queue of batches.

        Raises:
            InvalidSetting: The state folder cannot be used.
        """
        found = task_queue.Queue(self.settings.state_directory, scope.scope_of(self.settings))
        self.batches_needed.set()
        return found

    @cached_property
    def files(self) -> "files.ProjectFiles":
        """Return the reader of files."""
        return files.ProjectFiles(self.client, remote=self.settings.remote)

    @cached_property
    def search(self) -> "project_search.ProjectSearch":
        """Return the search for text, files and symbols of a project."""
        environment = self.settings.environment
        executable = None if self.settings.remote else ripgrep_executable.find_ripgrep(environment)
        found = ripgrep.Ripgrep(executable, environment) if executable else None
        return project_search.ProjectSearch(self.client, found)

    @cached_property
    def fence(self) -> "fence.Fence":
        """The directories and sessions that callers may name."""
        return fence.Fence(self.settings, self.client, self.worktrees.records, self._place_of)

    def _place_of(self, session_id: str) -> str:
        return self._upstream.hub.place_of(session_id)

    @cached_property
    def worktrees(self) -> "recorded_worktrees.RecordedWorktrees":
        """Return the isolated worktrees of runs, on the machine of OpenCode."""
        return self._remote_worktrees if self.settings.remote else self.local_worktrees

    @cached_property
    def local_worktrees(self) -> "isolation_worktrees.Worktrees":
        """Return the isolated worktrees on this machine, for what needs their files."""
        return isolation_worktrees.Worktrees(self.settings.state_directory, self.settings.environment)

    @cached_property
    def _remote_worktrees(self) -> "remote_worktrees.RemoteWorktrees":
        records = remote_records.RemoteRecords(self.settings.state_directory, self.settings.url)
        return remote_worktrees.RemoteWorktrees(records, self.client, lambda: self.hub)

    def has_worktrees(self, project: str) -> bool:
        """Return True if there are sessions in isolated worktrees of a project, removed ones included."""
        return self.worktrees.records.any_of(project)

    @cached_property
    def integrator(self) -> "integration.Integrator | remote_integration.RemoteIntegrator":
        """Return the part that brings changes of isolated worktrees back."""
        if self.settings.remote:
            return remote_integration.RemoteIntegrator(self._remote_worktrees, self.client)
        return integration.Integrator(self.local_worktrees)

    @cached_property
    def argument_checker(self) -> "operation_arguments.ArgumentChecker":
        """Checks the arguments of operations."""
        return operation_arguments.ArgumentChecker(
            self.fence, self.allowed, self.policy, self.client, self.instance_reload, remote=self.settings.remote
        )

    @cached_property
    def operations(self) -> "any_operation.OperationCalls":
        """Return the sender of calls of any operation."""
        return any_operation.OperationCalls(self.connection)

    async def operation_of(self, purpose: "OneOperation") -> "Operation":
        """Return the operation that the generation of OpenCode in use has for a purpose (``operations_of_tools.py``).

        Raises:
            BridgeError: OpenCode cannot be reached.
        """
        table = await self.client.table()
        return table.operation(purpose[table.generation])

    async def check_served(self, uses: "Uses") -> None:
        """Refuse a tool or resource whose uses the operator denies for the generation of OpenCode in use.

        Raises:
            NotAllowed: The operator denies one of its operations.
            BridgeError: OpenCode cannot be reached.
        """
        if not self.allowed.serves_always(uses):
            self.allowed.check_served(uses, await self.connection.generation())

    @property
    def in_use(self) -> bool:
        """Return True if OpenCode can be asked without starting it."""
        return self.settings.attached or self._is_connected

    @property
    def has_answered(self) -> bool:
        """Return True if the present server has answered a request, so that it has started."""
        return self._upstream.has_answered

    @property
    def _is_connected(self) -> bool:
        return self._upstream.is_connected

    def spawn(self, work: Callable[[*WorkArguments], Coroutine[Any, Any, object]], *arguments: *WorkArguments) -> None:
        """Start a task beside the requests, unless the bridge is retired; it ends with the server at the latest."""
        if not self._is_retired:
            self._task_group.start_soon(work, *arguments)

    def follow_events(self) -> None:
        """Start to receive OpenCode's events, if it is in use and they do not come yet; wait for nothing."""
        if self._is_connected and not self.hub.follows:
            self.spawn(self.listen_to_events)

    async def listen_to_events(self) -> None:
        """Receive OpenCode's events, as far as it can be reached; a later call tries again, and so do subscribers."""
        try:
            await self.hub.ensure()
        except BridgeError as error:
            logger.warning("cannot receive events: %s", error)
            self.spawn(self.publisher.reconnect)

    def end_waits(self) -> None:
        """Make every call that waits for a run report it now, and every later call wait no longer."""
        self.waits.end()
        if self._is_connected:
            self._upstream.hub.wake()

    def retire(self) -> None:
        """Begin nothing more, since the rights have changed: end all waits, and whatever works beside the requests."""
        self._is_retired = True
        self.end_waits()
        self._task_group.cancel_scope.cancel()

    async def aclose(self) -> None:
        """Close the connection to OpenCode, if one was made and no other bridge shares it."""
        if not self._shares:
            await self._upstream.aclose()


BridgeContext = Context[Bridge, object]
"""Context that the SDK passes to a tool."""
BridgeRequest = ServerRequestContext[Bridge, object]
"""Request in such a context."""


def bridge_of(ctx: BridgeContext) -> Bridge:
    """Return the bridge that serves a request."""
    return ctx.request_context.lifespan_context

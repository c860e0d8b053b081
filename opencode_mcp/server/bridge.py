"""What a tool works with: the parts of the lower layers, each made when a call first needs it.

A host that only lists tools must not wait for HTTP, JSON Schema and models to be imported, and nothing may connect
before a call needs it; so the imports stand in the properties.
"""

import logging
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio
from mcp.server.mcpserver import Context

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from opencode_mcp.config import Settings
    from opencode_mcp.events.hub import Hub
    from opencode_mcp.launcher.connection import Connection
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.operation_calls import OperationCalls
    from opencode_mcp.runs.answers.answer_rules import AnswerRules
    from opencode_mcp.runs.answers.auto_reply import AutoReply
    from opencode_mcp.runs.answers.reply_sender import ReplySender
    from opencode_mcp.runs.commands import Commands
    from opencode_mcp.runs.prompting.reload import InstanceReload
    from opencode_mcp.runs.requests.open_requests import Requests
    from opencode_mcp.runs.requests.policy import Policy
    from opencode_mcp.runs.run import Runs
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.server.access.operation_arguments import ArgumentChecker
    from opencode_mcp.server.access.paths import Fence
    from opencode_mcp.server.notifications.publisher import Notices
    from opencode_mcp.server.notifications.subscriptions import Subscriptions
    from opencode_mcp.server.tokens.tickets import Tickets
    from opencode_mcp.workspace.files import ProjectFiles
    from opencode_mcp.workspace.search.project_search import ProjectSearch

logger = logging.getLogger(__name__)

Arguments = TypeVarTuple("Arguments")


class Bridge:
    """The parts, wired; it lives as long as the server runs.

    Args:
        settings: What the operator decided.
        task_group: Runs what outlives a request.
        subscriptions: Those who want to hear of changes.
    """

    def __init__(self, settings: "Settings", task_group: "TaskGroup", subscriptions: "Subscriptions") -> None:
        self.settings = settings
        self.subscriptions = subscriptions
        self._task_group = task_group
        self._notices: Notices | None = None

    @cached_property
    def connection(self) -> "Connection":
        """The way to OpenCode."""
        from opencode_mcp.launcher.connection import Connection
        from opencode_mcp.launcher.launcher import Launcher

        return Connection(Launcher(self.settings))

    @cached_property
    def client(self) -> "OpenCodeClient":
        """OpenCode's operations, on whichever server is found."""
        from opencode_mcp.opencode.client import OpenCodeClient

        return OpenCodeClient(self.connection)

    @cached_property
    def hub(self) -> "Hub":
        """OpenCode's events."""
        from opencode_mcp.events.hub import Hub
        from opencode_mcp.server.notifications.publisher import Notices

        hub = Hub(self.connection, self._task_group)
        self._notices = Notices(hub, self.subscriptions, self.fence.allows, attached=self.settings.attached)
        self._task_group.start_soon(self._notices.run)
        return hub

    @cached_property
    def runs(self) -> "Runs":
        """Prompts and what becomes of them."""
        from opencode_mcp.runs.prompting.session_lock import SessionLocks
        from opencode_mcp.runs.run import Runs
        from opencode_mcp.runs.run_note import Notes
        from opencode_mcp.server.tokens.token_codec import TokenCodec

        state = self.settings.state_directory
        return Runs(
            self.hub, Notes(TokenCodec(state), self.policy), SessionLocks(state / "turns"), self.instance_reload
        )

    @cached_property
    def instance_reload(self) -> "InstanceReload":
        """Part that makes OpenCode read its files again."""
        from opencode_mcp.runs.prompting.reload import InstanceReload

        environment = None if self.settings.remote else self.settings.environment
        return InstanceReload(environment, refusal=self._reload_refusal())

    def _reload_refusal(self) -> str:
        """Why the bridge may not have OpenCode read its files again; empty: it may."""
        if self.settings.attached:
            return "This bridge did not start that OpenCode, so whoever did decides about it."
        if not self.allowed.serves(["instance.dispose"]) or self.settings.read_only:
            return "The operator of the bridge denies that operation."
        return ""

    @cached_property
    def commands(self) -> "Commands":
        """Slash commands and shell lines."""
        from opencode_mcp.runs.commands import Commands

        return Commands(self.runs, self.hub, self._task_group)

    @cached_property
    def requests(self) -> "Requests":
        """Permissions and questions."""
        from opencode_mcp.runs.requests.open_requests import Requests

        return Requests(self.client, self.hub)

    @cached_property
    def answer_rules(self) -> "AnswerRules":
        """Who may answer what, by the operator's policy."""
        from opencode_mcp.runs.answers.answer_rules import ANSWERING, AnswerRules

        denied = frozenset(filter(self.allowed.denies, ANSWERING))
        return AnswerRules(self.policy, self.settings.read_only, denied)

    @cached_property
    def reply_sender(self) -> "ReplySender":
        """Sends replies to OpenCode's requests: the only way."""
        from opencode_mcp.runs.answers.reply_sender import ReplySender

        return ReplySender(self.client, self.requests, self.runs, self.answer_rules, self.fence.session)

    @cached_property
    def tickets(self) -> "Tickets":
        """Lets each answer of a person that a client carries count once."""
        from opencode_mcp.server.tokens.tickets import Tickets

        return Tickets()

    @cached_property
    def policy(self) -> "Policy":
        """The operator's rules for permissions."""
        from opencode_mcp.runs.requests.policy import Policy

        return Policy(self.settings.permissions, self.settings.permission_rules)

    @cached_property
    def auto_reply(self) -> "AutoReply":
        """Answers permissions by the operator's policy, also while nobody waits."""
        from opencode_mcp.runs.answers.auto_reply import AutoReply

        auto_reply = AutoReply(self.hub, self.runs, self.requests, self.reply_sender)
        self._task_group.start_soon(auto_reply.watch)
        return auto_reply

    @cached_property
    def files(self) -> "ProjectFiles":
        """The contents of files."""
        from opencode_mcp.workspace.files import ProjectFiles

        return ProjectFiles(self.client, remote=self.settings.remote)

    @cached_property
    def search(self) -> "ProjectSearch":
        """Text, files and symbols of a project."""
        from opencode_mcp.workspace.search.project_search import ProjectSearch
        from opencode_mcp.workspace.search.ripgrep import Ripgrep, find_ripgrep

        environment = self.settings.environment
        executable = None if self.settings.remote else find_ripgrep(environment)
        return ProjectSearch(self.client, Ripgrep(executable, environment) if executable else None)

    @cached_property
    def fence(self) -> "Fence":
        """Where callers may work."""
        from opencode_mcp.server.access.paths import Fence

        return Fence(self.settings, self.client)

    @cached_property
    def allowed(self) -> "AllowedOperations":
        """Which operations callers may call."""
        from opencode_mcp.server.access.allowed_operations import AllowedOperations

        return AllowedOperations(self.settings)

    @cached_property
    def argument_checker(self) -> "ArgumentChecker":
        """Holds the arguments of operations inside the fence."""
        from opencode_mcp.server.access.operation_arguments import ArgumentChecker

        return ArgumentChecker(self.fence, self.allowed, self.policy, self.client, self.instance_reload)

    @cached_property
    def operations(self) -> "OperationCalls":
        """Every operation of the table."""
        from opencode_mcp.opencode.operation_calls import OperationCalls

        return OperationCalls(self.connection)

    @property
    def in_use(self) -> bool:
        """Whether OpenCode can be asked without starting it."""
        return self.settings.attached or ("connection" in self.__dict__ and self.connection.endpoint is not None)

    def spawn(self, work: Callable[[*Arguments], Coroutine[Any, Any, object]], *arguments: *Arguments) -> None:
        """Do something beside the requests, for as long as the server runs at most."""
        self._task_group.start_soon(work, *arguments)

    def follow_events(self) -> None:
        """Have OpenCode's events come from now on, if it is in use and they do not yet; waits for nothing."""
        connected = "connection" in self.__dict__ and self.connection.endpoint is not None
        if connected and not self.hub.follows:
            self.spawn(self.listen_to_events)

    async def listen_to_events(self) -> None:
        """Have OpenCode's events come, as far as it can be reached; a later call tries again, and so do subscribers."""
        from opencode_mcp.errors import BridgeError

        try:
            await self.hub.ensure()
        except BridgeError as error:
            logger.warning("no events: %s", error)
            if self._notices:
                self.spawn(self._notices.come_back)

    async def aclose(self) -> None:
        """Let go of OpenCode, if it was ever reached for."""
        if "connection" in self.__dict__:
            with anyio.CancelScope(shield=True):
                await self.connection.aclose()


BridgeContext = Context[Bridge, object]
"""What the SDK hands to a tool."""


def bridge_of(ctx: BridgeContext) -> Bridge:
    """The parts behind a request."""
    return ctx.request_context.lifespan_context

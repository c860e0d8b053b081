"""The SDK's server with dynamic lists: sessions as resources, OpenCode's slash commands as prompts.

Until OpenCode is needed for the first time, the lists contain only what is known without it, since a host lists
everything when it starts, and nothing may connect before a call needs it. Once OpenCode is in use, the lists contain
its entries, and clients are notified of the change.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    Prompt,
    Resource,
    ResourceTemplate,
)
from pydantic import AnyUrl

from opencode_mcp.errors import SCOPE_REMEDY, BridgeError, CallerError, NotFound
from opencode_mcp.server.access import missing_scopes
from opencode_mcp.server.access.audit_notes import refused_calls
from opencode_mcp.server.access.operations_of_tools import RESOURCE_USES, TOOL_USES
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.prompts import command_prompts
from opencode_mcp.server.prompts.prompts import OWN, PromptSpec, own_prompt
from opencode_mcp.server.resources.resources import RESOURCES, ResourceSpec, find_resource, list_sessions_as_resources
from opencode_mcp.server.results.host_settings import SettingsOwner
from opencode_mcp.server.results.render import explain
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.sdk_private import run_over_streams
from opencode_mcp.server.stdio.message_streams import CheckedWriter, streams_from
from opencode_mcp.server.waiting.call_deadlines import READ_AGAIN, start_deadline_of, starting
from opencode_mcp.server.waiting.host_limits import client_name_of
from opencode_mcp.text import similar_names
from opencode_mcp.text.outside_text import is_plain, one_line, valid_unicode

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Command
    from opencode_mcp.server.stdio.front.takeover import Takeover

logger = logging.getLogger(__name__)

LIST_TIMEOUT_SECONDS = 10.0
"""Seconds that OpenCode may take for a list; hosts list everything when they start, and wait for it."""

TOOL_PREFIX = "opencode_"
COMMAND_TOOL = "opencode_command"
Listed = TypeVar("Listed")


class BridgeServer(MCPServer[Bridge]):
    """MCP server over a bridge."""

    bridge: Bridge
    """The parts; set while the server runs."""
    tool_names: frozenset[str]
    """Names of the listed tools. Prompts that need other tools are not listed."""

    async def run_stdio_async(self) -> None:
        """Serve on stdin and stdout until stdin ends, through the SDK's own transport."""
        async with stdio_server() as (received, sent):
            await run_over_streams(self, received, CheckedWriter(sent))

    async def run_over(self, takeover: "Takeover") -> None:
        """Serve on the streams of the front, until the host closes its end."""
        reader, writer = streams_from(takeover)
        await run_over_streams(self, reader, writer)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Bridge, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a listed tool; other names are refused here, since the SDK repeats them unchanged in its error."""
        if name not in self.tool_names:
            raise ToolError(self._why_not_listed(name, context))
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            refused_calls.note_refusal(refused_calls.reason_of(error.__cause__))
            raise

    def _why_not_listed(self, name: str, context: Context[Bridge, Any] | None) -> str:
        """Return the reason why a tool is not listed, or does not exist, and note it for the audit log."""
        refusal = self.bridge.allowed.refusal_of_tool(name)
        reason = refused_calls.reason_of(refusal) or refused_calls.reason_of_unlisted(name, self.bridge.settings)
        refused_calls.note_refusal(reason)
        return explain(refusal, owner=self._owner(context)) if refusal else self._reason_without_tool(name)

    def _reason_without_tool(self, name: str) -> str:
        if scopes := missing_scopes.missing_scopes(name, self.bridge.settings):
            wanted = " and ".join(scopes)
            return f"{name} is not allowed here: the access token of this client lacks {wanted}. {SCOPE_REMEDY}"
        if name in TOOL_USES:
            return f"There is no tool {name} here: the settings of this MCP server leave it out."
        return f"There is no tool {shown(one_line(name))}. {self._suggestion(name)}".rstrip()

    def _suggestion(self, name: str) -> str:
        """Suggest the tools whose names are most similar to one that does not exist."""
        known = {tool.removeprefix(TOOL_PREFIX): tool for tool in sorted(self.tool_names)}
        found = similar_names.similar_names(name.removeprefix(TOOL_PREFIX), known)
        return f"Did you mean {' or '.join(known[one] for one in found)}?" if found else ""

    async def list_resources(self) -> list[Resource]:
        """Return the fixed resources, and the recent sessions once OpenCode is in use."""
        fixed = [spec.as_resource() for spec in self._served() if spec.address]
        listed = all(self.bridge.allowed.serves(RESOURCE_USES[name]) for name in ("sessions", "transcript"))
        return [*fixed, *(await self._if_in_use(list_sessions_as_resources) if listed else [])]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Return the URI templates of all resources that have placeholders."""
        return [spec.as_template() for spec in self._served() if spec.template != spec.address]

    def _served(self) -> list[ResourceSpec]:
        return [spec for spec in RESOURCES if self._serves(spec)]

    def _serves(self, spec: ResourceSpec) -> bool:
        return self.bridge.allowed.serves(RESOURCE_USES[spec.name])

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Bridge, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource; the error for an unknown URI names the right forms."""
        spec, arguments = self._served_resource(str(uri))
        try:
            async with _bounded(context):
                await self.bridge.check_served(RESOURCE_USES[spec.name])
                content = await spec.read(self.bridge, **arguments)
        except CallerError as error:
            raise ResourceNotFoundError(explain(error, owner=self._owner(context))) from error
        except BridgeError as error:
            raise ResourceError(explain(error)) from error
        data = content.data
        if isinstance(data, str):
            data = valid_unicode(data) if spec.verbatim else shown(data)
        return [ReadResourceContents(content=data, mime_type=content.mime_type)]

    def _served_resource(self, uri: str) -> tuple[ResourceSpec, dict[str, str]]:
        """Return the served resource of a URI, and the values of its placeholders."""
        found = find_resource(uri)
        if found is None or not self._serves(found[0]):
            addresses = (
                ", ".join(spec.template for spec in self._served()) or "none: the settings of this MCP server deny all"
            )
            raise ResourceNotFoundError(
                f"There is no resource {shown(one_line(uri))}. Addresses look like {addresses}."
            )
        return found

    async def list_prompts(self) -> list[Prompt]:
        """Return our own prompts, and OpenCode's commands once it is in use, except those with the name of a prompt."""
        own = [spec.listed() for spec in self._own_prompts()]
        names = {spec.name for spec in OWN}
        commands = await self._if_in_use(_command_prompts) if COMMAND_TOOL in self.tool_names else []
        return [*own, *(prompt for prompt in commands if prompt.name not in names)]

    def _own_prompts(self) -> list[PromptSpec]:
        return [spec for spec in OWN if spec.tools <= self.tool_names]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Bridge, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Return a prompt with its arguments filled in."""
        given = {key: str(value) for key, value in (arguments or {}).items()}
        try:
            async with _bounded(context):
                return await self._filled_prompt(name, given)
        except BridgeError as error:
            code = INVALID_PARAMS if isinstance(error, CallerError) else INTERNAL_ERROR
            raise MCPError(code, explain(error, owner=self._owner(context))) from error

    def _owner(self, context: Context[Bridge, Any] | None) -> SettingsOwner:
        return SettingsOwner(_client_name(context), self.bridge.settings.principal)

    async def _filled_prompt(self, name: str, given: Mapping[str, str]) -> GetPromptResult:
        own = own_prompt(name)
        if own and own.tools <= self.tool_names:
            return own.filled(given)
        commands = await _plain_commands(self.bridge) if COMMAND_TOOL in self.tool_names else []
        command = next((command for command in commands if command.name == name), None)
        if own or command is None:
            raise self._no_prompt(name, commands)
        return command_prompts.command_filled(command, given)

    def _no_prompt(self, name: str, commands: "Sequence[Command]") -> NotFound:
        names = ", ".join([*(spec.name for spec in self._own_prompts()), *(command.name for command in commands)])
        return NotFound(f"There is no prompt {name!r}.", hint=f"There are {names or 'none'}.")

    async def _if_in_use(self, source: Callable[[Bridge], Awaitable[list[Listed]]]) -> list[Listed]:
        """Return entries of OpenCode; none if a request would start it or fails, since a list must come in any case."""
        if not self.bridge.in_use:
            return []
        try:
            with anyio.fail_after(LIST_TIMEOUT_SECONDS):
                return await source(self.bridge)
        except (BridgeError, TimeoutError) as error:
            logger.info("the list lacks OpenCode's entries: %s", error or "it does not answer")
            return []


def _client_name(context: Context[Bridge, Any] | None) -> str:
    return client_name_of(context.session) if context else ""


def _bounded(context: Context[Bridge, Any] | None) -> AbstractAsyncContextManager[object]:
    """Cancel a read at the deadline of its request, also while OpenCode or the project starts."""
    return starting(context, start_deadline_of(context), READ_AGAIN) if context else nullcontext()


async def _command_prompts(bridge: Bridge) -> list[Prompt]:
    return [command_prompts.command_listed(command) for command in await _plain_commands(bridge)]


async def _plain_commands(bridge: Bridge) -> "list[Command]":
    """Return the commands that can be prompts: those whose names can be shown unchanged."""
    commands = await bridge.client.commands(await bridge.fence.directory())
    return [command for command in commands if is_plain(command.name)]

"""Definition of tools: data, and a handler.

Definitions need no server, so tests check the inventory, its rules and its snapshots without one. This module also
converts our errors to the text that a model reads: the SDK shows a model the text of ``ToolError`` and hides all else.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import Field, ValidationError

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.opencode.operation_catalog import argument_problems
from opencode_mcp.server.access.operations_of_tools import NOTHING, TOOL_USES
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.definition.argument_limits import check_limits
from opencode_mcp.server.definition.hints import hints_of
from opencode_mcp.server.definition.listed_schema import listed_schema
from opencode_mcp.server.results.duplicate_text import without_repeated
from opencode_mcp.server.results.host_settings import SettingsOwner
from opencode_mcp.server.results.render import explain
from opencode_mcp.server.results.size_limit import RESULT_BYTES
from opencode_mcp.server.waiting.call_deadlines import READ_AGAIN, start_deadline_of, starting
from opencode_mcp.server.waiting.host_limits import client_name_of, reads_data_alone
from opencode_mcp.text.json_types import Schema

NULL = {"type": "null"}
WAITING = frozenset({"wait_seconds", "seconds", "operation"})
"""Arguments of tools that may wait for something. Operations have their own time to wait."""
LONG_RESULTS = {"anthropic/maxResultSizeChars": RESULT_BYTES}
"""Request to Claude Code to show whole results; it replaces those of more than 50,000 characters by a file's name."""
STATUS = "opencode_status"
"""Tool that errors suggest to see what is wrong; its own errors would suggest what has just failed."""
Handler = Callable[..., Awaitable[CallToolResult | InputRequiredResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Tool that is not registered yet. Its description is the handler's docstring."""

    name: str
    title: str
    handler: Handler
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    output_schema: Schema | None
    texts: tuple[str, ...]
    """Fields of the structured content that repeat the text at length, as paths."""
    long_results: bool
    """True if its results may have as many characters as the limit of ``size_limit.py`` allows."""

    def build(self, *, brief: bool = False, without: Collection[str] = ()) -> "BridgeTool":
        """Return the SDK's tool.

        Args:
            brief: Whether to list it without its optional parts. The result still has structured content.
            without: Arguments that are not listed.
        """
        made = _sdk_tool(self.handler)
        parameters = listed_schema(without_noise(made.parameters))
        for name in without:
            parameters["properties"].pop(name, None)
        output_schema = dict(self.output_schema) if self.output_schema and not brief else None
        return made.model_copy(
            update={
                "title": self.title,
                "parameters": parameters,
                "fn_metadata": made.fn_metadata.model_copy(update={"output_schema": output_schema}),
                "meta": LONG_RESULTS if self.long_results else None,
                # The title is listed only once, next to the name.
                "annotations": hints_of(
                    read_only=self.read_only,
                    destructive=self.destructive,
                    idempotent=self.idempotent,
                    open_world=self.open_world,
                ),
                "texts": self.texts,
            }
        )


def tool(
    *,
    title: str,
    read_only: bool,
    destructive: bool,
    idempotent: bool,
    open_world: bool,
    output_schema: Schema | None = None,
    texts: tuple[str, ...] = (),
    long_results: bool = False,
) -> Callable[[Handler], ToolSpec]:
    """Define a tool with the handler's name."""

    def define(handler: Handler) -> ToolSpec:
        return ToolSpec(
            name=handler.__name__,
            title=title,
            handler=handler,
            read_only=read_only,
            destructive=destructive,
            idempotent=idempotent,
            open_world=open_world,
            output_schema=output_schema,
            texts=texts,
            long_results=long_results,
        )

    return define


class BridgeTool(Tool):
    """Tool whose errors a model can act on, and whose results repeat nothing."""

    texts: tuple[str, ...] = ()
    tools_by_argument: Mapping[str, list[str]] = Field(default_factory=dict[str, list[str]])
    """Listed tools that take an argument, by the argument's name."""

    async def run(  # noqa: D102 - the base class says it
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002, FBT001, FBT002 - the SDK's signature; handlers give whole results
    ) -> Any:  # noqa: ANN401
        try:
            outcome = await self._run(arguments, context)
        except BridgeError as error:
            owner = _settings_owner(context)
            raise ToolError(explain(error, self._not_suggested(context), owner)) from error
        except (MCPError, ToolError):
            raise
        except Exception as error:
            # The text of an unexpected error may hold anything, so it goes only to the log, to which the SDK writes it.
            raise UnexpectedToolError(self._own_fault()) from error
        if isinstance(outcome, CallToolResult) and not reads_data_alone(context.session):
            return without_repeated(outcome, self.texts)
        return outcome

    def _own_fault(self) -> str:
        """Return the text for an error that nobody expected."""
        fault = f"{self.name} failed inside this MCP server, whose log has the details."
        if self._reads():
            return fault
        return f"{fault} It may have done its work all the same: look with opencode_session before you call it again."

    def _not_suggested(self, context: Context[Any, Any]) -> Collection[str]:
        """Return the tools that an error of this one must not suggest."""
        unlisted = _unlisted_tools(context)
        return {*unlisted, STATUS} if self.name == STATUS else unlisted

    async def _run(self, arguments: dict[str, Any], context: Context[Any, Any]) -> object:
        values = self.checked(arguments)
        bridge = context.request_context.lifespan_context
        if not isinstance(bridge, Bridge) or not self._only_reads():
            return await self._call(values, context, bridge)
        async with starting(context, start_deadline_of(context), READ_AGAIN):
            return await self._call(values, context, bridge)

    def checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call, with defaults for those that are left out.

        Raises:
            InvalidArgument: Some are wrong; the text names each fault.
        """
        check_limits(arguments)
        required = cast("list[str]", self.parameters.get("required", []))
        # A client that cannot leave an argument out sends null.
        arguments = {name: value for name, value in arguments.items() if value is not None or name in required}
        try:
            values = self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            raise self._refusal(arguments, _faults(error)) from error
        if set(arguments) - set(self.fn_metadata.arg_model.model_fields):
            raise self._refusal(arguments, "There is an unknown argument.")
        return values

    async def _call(self, values: dict[str, Any], context: Context[Any, Any], bridge: object) -> object:
        if isinstance(bridge, Bridge):
            await bridge.check_served(TOOL_USES.get(self.name, NOTHING))
        return await self.fn_metadata.call_fn(self.fn, self.is_async, values, {self.context_kwarg or "ctx": context})

    def _reads(self) -> bool:
        return self.annotations is not None and self.annotations.read_only_hint is True

    def _only_reads(self) -> bool:
        """Return True if a call can be cancelled at any time; tools that wait check their deadlines themselves."""
        return self._reads() and not WAITING & self.parameters.get("properties", {}).keys()

    def _refusal(self, arguments: dict[str, Any], otherwise: str) -> InvalidArgument:
        """Return an error that names each fault of the arguments in a sentence."""
        properties = cast("dict[str, dict[str, object]]", self.parameters["properties"])
        required = cast("list[str]", self.parameters.get("required", []))
        constraints = self._constraints()
        known = {name: constraints[name] for name in properties}
        unknown = [name for name in arguments if name not in properties]
        wrong = [
            *(
                argument_problems.unknown(name, properties, takers=self.tools_by_argument.get(name, ()))
                for name in unknown
            ),
            *(argument_problems.missing(name) for name in required if name not in arguments),
            *_problems(arguments, known),
        ]
        return InvalidArgument(" ".join(wrong) or otherwise, hint=f"{self.name} takes {', '.join(properties)}.")

    def _constraints(self) -> Mapping[str, Schema]:
        """Return the schemas of the arguments with all constraints; the listed ones have not all of them."""
        whole = without_noise(self.fn_metadata.arg_model.model_json_schema())
        return cast("Mapping[str, Schema]", whole["properties"])


def _faults(error: ValidationError) -> str:
    """Return a sentence for each fault that the schema does not show, such as a number that must be more than 0."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return " ".join(f"`{'.'.join(map(str, fault['loc']))}`: {fault['msg']}." for fault in found)


def _problems(arguments: Mapping[str, Any], properties: Mapping[str, Schema]) -> Iterator[str]:
    """Yield the problems of the values of known arguments."""
    for name, value in arguments.items():
        if name in properties:
            yield from argument_problems.problems(name, properties[name], value)


def _unlisted_tools(context: Context[Any, Any]) -> Collection[str]:
    """Return the tools that errors must not suggest, since this server does not list them."""
    bridge = context.request_context.lifespan_context
    return bridge.unlisted_tools if isinstance(bridge, Bridge) else ()


def _settings_owner(context: Context[Any, Any]) -> SettingsOwner:
    bridge = context.request_context.lifespan_context
    principal = bridge.settings.principal if isinstance(bridge, Bridge) else ""
    return SettingsOwner(client_name_of(context.session), principal)


@cache
def _sdk_tool(handler: Handler) -> BridgeTool:
    """Return the SDK's tool of a handler, which is made once: the server of each principal has a copy."""
    description = inspect.getdoc(handler)
    made = BridgeTool.from_function(handler, description=description, structured_output=False)
    return cast("BridgeTool", made)


def without_noise(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Remove parts of a schema that cost tokens in every listing and carry no information.

    These are titles derived from names, empty defaults, and null for arguments that may be left out.
    """
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if _is_noise(key, value):
            continue
        if _is_one_form_or_null(key, value):
            kept |= next(form for form in value if form != NULL)
            continue
        kept[key] = without_noise(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value
    return kept


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and not value)


def _is_one_form_or_null(key: str, value: Any) -> bool:  # noqa: ANN401 - any value of a schema
    return key == "anyOf" and NULL in value and len(value) == 2  # noqa: PLR2004 - one form, and null

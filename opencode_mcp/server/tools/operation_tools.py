"""Tools for all operations of OpenCode's API: find operations, call one that only reads, call any other.

They are three tools so that a host can approve reads separately. Operations that the operator does not allow are
refused.
"""

from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.opencode.operation_catalog import catalog, operation_search
from opencode_mcp.opencode.tables import annotation_types as annotation
from opencode_mcp.server.access.operations_of_tools import TOOL_OF
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.operations import calling, found_operations, reply_result
from opencode_mcp.server.results.host_settings import SettingsOwner
from opencode_mcp.server.results.schemas import OPERATION_REPLY, OPERATIONS, OPERATIONS_TEXTS, REPLY_TEXTS
from opencode_mcp.server.waiting.host_limits import client_name_of
from opencode_mcp.text.name_lists import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.tables.annotation_types import Effect, Group
    from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
    from opencode_mcp.server.bridge import Bridge

ALL = 1000
OTHERS_NAMED = 5
"""Operations that are named besides those that are shown."""


@tool(
    title="Find operations",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=OPERATIONS,
    texts=OPERATIONS_TEXTS,
)
async def opencode_find_operations(
    ctx: BridgeContext,
    *,
    query: Annotated[str, Field(description="Words, or an operation's id")] = "",
    group: Annotated[str, Field(description="sessions, files, config, mcp, terminal, ...")] = "",
    effect: Annotated[str, Field(description="read, write, execute or admin")] = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 6,
) -> CallToolResult:
    """Find operations of OpenCode's API with their arguments.

    Use it for what no other tool does.
    """
    bridge = bridge_of(ctx)
    chosen_group = cast("Group | None", _one_of("group", group, annotation.Group))
    chosen_effect = cast("Effect | None", _one_of("effect", effect, annotation.Effect))
    table, remarks = await _table(bridge)
    found = operation_search.search(table, query, group=chosen_group, effect=chosen_effect, limit=ALL)
    lacking = _lacking(table, query)
    if lacking:
        found = [item for item in found if operation_search.fits_mostly(table, item, query)]
    fitting = list(filter(bridge.allowed.shows, found))
    items = fitting[:limit]
    unknown = operation_search.unknown_words(table, query)
    remarks += [f"No operation has {' or '.join(map(repr, unknown))}."] if unknown and items else []
    taken = [f"{given!r} as {word!r}" for given, word in operation_search.corrections(table, query).items()]
    remarks += [f"Read {', '.join(taken)}, since no operation has the word as it was given."] if taken else []
    remarks += _others(fitting[limit:])
    shown = found_operations.FoundOperations(
        items,
        bridge.allowed,
        bridge.unlisted_tools,
        is_search=bool(query),
        owner=SettingsOwner(client_name_of(ctx.session), bridge.settings.principal),
    )
    return shown.result(remarks, lacking)


def _others(rest: "Sequence[Operation]") -> list[str]:
    """Return a remark on the operations that fit, too, and are not shown; none if all are."""
    return [f"Also found: {listed([item.id for item in rest], OTHERS_NAMED)}; limit=... shows more."] if rest else []


def _lacking(table: "OperationTable", query: str) -> str:
    """Return what the OpenCode in use cannot do that a query asks for, with the tool that does it; empty if nothing."""
    operation = catalog.lacking(table, query)
    if not operation:
        return ""
    tool = f" The tool {TOOL_OF[operation]} does it." if operation in TOOL_OF else ""
    return f"{catalog.advice(table, operation)}{tool}"


async def _table(bridge: "Bridge") -> "tuple[OperationTable, list[str]]":
    """Return the operations of the OpenCode in use; those of OpenCode 1, with a remark, while none can be reached."""
    try:
        return await bridge.client.table(), []
    except BridgeError as error:
        return catalog.table_of(1), [f"These are the operations of OpenCode 1, since none is in reach: {error.message}"]


def _one_of(name: str, value: str, choices: object) -> str | None:

    known = cast("tuple[str, ...]", get_args(choices))
    if value and value not in known:
        raise InvalidArgument(f"There is no {name} {value!r}.", hint=f"They are {', '.join(known)}.")
    return value or None


@tool(
    title="Read by operation",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=OPERATION_REPLY,
    texts=REPLY_TEXTS,
)
async def opencode_read_operation(
    ctx: BridgeContext,
    *,
    operation: Annotated[str, Field(description="Its id")],
    arguments: dict[str, Any] = {},
    select: Annotated[str, Field(description="JMESPath, such as [].cost")] = "",
    offset: Annotated[int, Field(ge=0, description="Items or characters to skip")] = 0,
) -> CallToolResult:
    """Call an operation that only reads, as found with opencode_find_operations. Secrets are hidden."""
    found = await calling.operation_in_use(ctx, operation)
    if found.effect != "read":
        raise InvalidArgument(
            f"{found.id} does not only read: its effect is {found.effect}.", hint="Use opencode_call_operation."
        )
    return await calling.call_operation(ctx, found, arguments, reply_result.ReplyPart(select, offset))


@tool(
    title="Call an operation",
    read_only=False,
    destructive=True,
    idempotent=False,
    open_world=True,
    output_schema=OPERATION_REPLY,
    texts=REPLY_TEXTS,
)
async def opencode_call_operation(
    ctx: BridgeContext, *, operation: Annotated[str, Field(description="Its id")], arguments: dict[str, Any] = {}
) -> CallToolResult:
    """Call an operation that changes something, as found with opencode_find_operations.

    For prompts use opencode_run.
    """
    return await calling.call_operation(ctx, await calling.operation_in_use(ctx, operation), arguments)

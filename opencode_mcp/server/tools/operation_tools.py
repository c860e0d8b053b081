"""Tools for all operations of OpenCode's API: find operations, call one that only reads, call any other.

They are three tools so that a host can approve reads separately. Operations that the operator does not allow are
refused.
"""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.opencode.operations import arguments as operation_arguments
from opencode_mcp.opencode.operations import catalog, schema_text
from opencode_mcp.opencode.operations import search as operations_search
from opencode_mcp.opencode.tables import annotation_types as annotation
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.operations import calling, reply_result
from opencode_mcp.server.results.render import cut, result
from opencode_mcp.server.results.schemas import OPERATION_REPLY, OPERATIONS, OPERATIONS_TEXTS, REPLY_TEXTS
from opencode_mcp.server.tool import tool
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opencode_mcp.opencode.tables.annotation_types import Effect, Group
    from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.allowed_operations import AllowedOperations
    from opencode_mcp.server.bridge import Bridge

LONGEST_ARGUMENTS = 2500
ALL = 1000
SHOWN_WHOLE = 20
"""Limit of operations that are shown with their arguments. Longer lists are shown in short, to fit into one result."""
SHORT = 80
USUAL_ARGUMENTS: "Mapping[Generation, tuple[str, ...]]" = {1: ("directory", "workspace"), 2: ("directory",)}
"""Arguments that most operations of a generation take: the place in which they work."""
USUAL: "Mapping[Generation, str]" = {
    1: '… stands for directory?: string (absolute path of the project; empty: the default), workspace?: "wrk…".',
    2: "… stands for directory?: string (absolute path of the project; empty: the default).",
}
IN_SHORT = "A query, a group or a smaller limit shows fewer operations with their arguments."


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
    limit: Annotated[int, Field(ge=1, le=200)] = 8,
) -> CallToolResult:
    """Find operations of OpenCode's API with the arguments that each takes.

    Use it for what no other tool does.
    """
    allowed = bridge_of(ctx).allowed
    chosen_group = cast("Group | None", _one_of("group", group, annotation.Group))
    chosen_effect = cast("Effect | None", _one_of("effect", effect, annotation.Effect))
    table, remark = await _table(bridge_of(ctx))
    found = operations_search.search(table, query, group=chosen_group, effect=chosen_effect, limit=ALL)
    items = list(islice(filter(allowed.shows, found), limit))
    if query:
        items.sort(key=lambda item: not allowed.allows(item) and item.id != query.strip())
    if not items:
        return result("No operation fits. Try other words, or none with a group.", {"operations": []})
    if len(items) > SHOWN_WHOLE:
        lines = [*(_line(item, allowed) for item in items), IN_SHORT, *remark]
        return result("\n".join(lines), _names(items, allowed))
    hits = [_hit(item, allowed) for item in items]
    usual = [USUAL[table.generation]] if any(map(_takes_usual, items)) else []
    data = {"operations": hits, **({"usual_arguments": usual[0]} if usual else {})}
    return result("\n\n".join([*map(_text, hits), *usual, *remark]), data)


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


def _names(items: "Sequence[Operation]", allowed: "AllowedOperations") -> dict[str, Any]:
    shown = [{"id": item.id, "effect": item.effect, "allowed": allowed.allows(item)} for item in items]
    return {"operations": shown, "note": IN_SHORT}


def _line(item: "Operation", allowed: "AllowedOperations") -> str:
    return _heading(item.id, item.effect, one_line(item.description, SHORT), allowed=allowed.allows(item))


def _heading(name: str, effect: str, does: str, *, allowed: bool) -> str:
    return f"{name} ({effect}{'' if allowed else ', not allowed here'}): {does}"


def _takes_usual(item: "Operation") -> bool:
    """Return True if an operation takes the arguments that ``USUAL`` describes."""
    usual, given = USUAL_ARGUMENTS[item.generation], operation_arguments.arguments_of(item)
    return all(name in given and given[name].place == "scope" for name in usual)


def _arguments(item: "Operation") -> str:
    """Return the arguments of an operation in short, with ``…`` in place of the usual ones."""
    schema = calling.offered_schema(item)
    if _takes_usual(item):
        usual = USUAL_ARGUMENTS[item.generation]
        own = {name: value for name, value in schema["properties"].items() if name not in usual}
        shown = schema_text.in_short({**schema, "properties": own}) if own else "{}"
        return cut(f"{shown.removesuffix('}')}{', ' if own else ''}…}}", LONGEST_ARGUMENTS)
    return cut(schema_text.in_short(schema), LONGEST_ARGUMENTS)


def _hit(item: "Operation", allowed: "AllowedOperations") -> dict[str, Any]:
    instead = f"A preview: use {item.instead} instead." if item.instead else ""
    hit = {
        "id": item.id,
        "does": item.description,
        "effect": item.effect,
        "group": item.group,
        "allowed": allowed.allows(item),
        "note": f"{instead} {item.note}".strip(),
        "arguments": _arguments(item),
        "replies": item.reply,
        "call": "opencode_read_operation" if item.effect == "read" else "opencode_call_operation",
    }
    return {name: value for name, value in hit.items() if value != ""}


def _text(hit: dict[str, Any]) -> str:
    heading = _heading(hit["id"], hit["effect"], hit["does"], allowed=hit["allowed"])
    lines = [heading, hit.get("note", "")]
    lines += [f"arguments: {hit['arguments']}", f"replies: {hit['replies']}"]
    return "\n".join(filter(None, lines))


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
    """Call an operation that only reads, as found with opencode_find_operations. Secrets in the reply are hidden."""
    found = await calling.operation_in_use(ctx, operation)
    if found.effect != "read":
        raise InvalidArgument(
            f"{found.id} does not only read: its effect is {found.effect}.", hint="Use opencode_call_operation."
        )
    return await calling.call_operation(ctx, found, arguments, reply_result.Part(select, offset))


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

"""Call any operation, from the caller's flat arguments to a result that is limited in size and without secrets.

Each step is a module of its own; this module runs them in their order.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio

from opencode_mcp.errors import (
    BackendError,
    BackendFailed,
    BridgeError,
    InvalidArgument,
    NotAllowed,
    NotFound,
    UnsupportedOperation,
)
from opencode_mcp.opencode.operation_catalog import catalog
from opencode_mcp.opencode.operation_catalog.argument_problems import problems
from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments, arguments_of, arguments_schema, split
from opencode_mcp.opencode.tables.operation_table import Operation, OperationTable
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.secrets.redact_data import redacted_data, secrets_in
from opencode_mcp.server.access import refusals
from opencode_mcp.server.access.argument_values import with_text_at
from opencode_mcp.server.access.operations_of_tools import TOOL_OF
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.operations import run_slots
from opencode_mcp.server.operations.filled_pages import filled_page
from opencode_mcp.server.operations.handlers.handler import OperationHandler, OperationRequest, OperationResult
from opencode_mcp.server.operations.handlers.handler_table import handler_of
from opencode_mcp.server.operations.reply_result import ReplyPart, reply_result
from opencode_mcp.server.operations.row_filter import RowFilter, left_out_note
from opencode_mcp.server.operations.sealed_cursors import SealedCursors
from opencode_mcp.server.waiting.call_deadlines import start_deadline_of, starting
from opencode_mcp.server.waiting.elicitation import can_ask
from opencode_mcp.server.waiting.progress_notifications import progress_sender
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from mcp_types import CallToolResult


HEARTBEAT_SECONDS = 10.0
SECRET_REPLIES: Mapping[tuple[Generation, str], tuple[str, ...]] = {
    (2, "server.pair"): ("code",),
    (2, "experimental.persistentPty.handoff"): ("handoff",),
}
"""Places of secrets in replies whose names do not show it; such a text gives the rights of the password."""
WITHOUT_ARGUMENTS = "opencode_status shows whether OpenCode answers."
"""Next step after the failure of a call that has no arguments to correct."""
WITH_ARGUMENTS = "OpenCode fails in this way for some wrong arguments, too: check them against what exists."
"""Next step after the failure of a call whose arguments the caller chose."""
DOCUMENT_SECONDS = 5.0
"""Time for reading the server's API document to explain a failure."""


async def operation_in_use(ctx: BridgeContext, operation_id: str) -> Operation:
    """Return the operation that a caller named, of the generation of OpenCode in use. OpenCode is started if needed.

    Raises:
        NotFound: That generation has no operation with this id.
        BridgeError: OpenCode cannot be reached.
    """
    async with starting(ctx, start_deadline_of(ctx)):
        table = await bridge_of(ctx).client.table()
    return find(table, operation_id)


def find(table: OperationTable, operation_id: str) -> Operation:
    """Return the operation that a caller named.

    Raises:
        NotFound: The table has no operation with this id.
    """
    try:
        return catalog.named_operation(table, operation_id)
    except NotFound as error:
        best = next(iter(catalog.alternatives(table, operation_id)), "")
        error.hint += f" The tool {TOOL_OF[best]} does the same." if best in TOOL_OF else ""
        error.hint += " opencode_find_operations searches by words."
        raise


def offered_schema(operation: Operation) -> dict[str, Any]:
    """Return the JSON Schema of the arguments that a caller may give: OpenCode's and the bridge's own."""
    schema: dict[str, Any] = arguments_schema(operation)
    handler = handler_of(operation)
    kept = {name: item for name, item in schema["properties"].items() if name not in handler.hidden}
    return schema | {"properties": {**kept, **handler.own}}


async def call_operation(
    ctx: BridgeContext, operation: Operation, arguments: JsonMap, part: ReplyPart | None = None
) -> "CallToolResult":
    """Call an operation for a caller.

    Args:
        ctx: The MCP request.
        operation: The operation.
        arguments: The caller's flat arguments.
        part: ReplyPart of the reply to return; ``None``: as much of the whole as fits.

    Raises:
        BridgeError: The call failed; the text holds no secret of the arguments.
    """
    bridge = bridge_of(ctx)
    arguments = without_nulls(operation, arguments)
    known = {bridge.settings.password, *_secrets_of(operation, arguments)}
    try:
        if refusal := bridge.allowed.refusal(operation):
            raise refusals.with_entry_of(refusal, operation, arguments)
        outcome = await _perform(ctx, operation, arguments)
    except BridgeError as error:
        error.message = redact_text.redacted_text(error.message, known)
        error.hint = redact_text.redacted_text(error.hint, known)
        if isinstance(error, NotAllowed):
            error.by_person = redact_text.redacted_text(error.by_person, known)
        raise
    for place in SECRET_REPLIES.get((operation.generation, operation.id), ()):
        outcome.value = with_text_at(outcome.value, place, MARK)
    outcome.value = redacted_data(outcome.value, known)
    outcome.notes = [redact_text.redacted_text(note, known) for note in outcome.notes]
    return reply_result(operation, outcome, part)


def _secrets_of(operation: Operation, arguments: JsonMap) -> set[str]:
    """Return the secrets among the arguments; what is in the path of a URL names something."""
    known = arguments_of(operation)
    unnamed = {name: value for name, value in arguments.items() if name not in known or known[name].place != "path"}
    return secrets_in(unnamed)


def without_nulls(operation: Operation, arguments: JsonMap) -> JsonMap:
    """Return the arguments without those that are null and may be left out; a null that OpenCode accepts stays."""
    schema = offered_schema(operation)
    left_out = {
        name
        for name, value in arguments.items()
        if value is None and name not in schema["required"] and not _takes_null(schema["properties"].get(name, {}))
    }
    return {name: value for name, value in arguments.items() if name not in left_out}


def _takes_null(schema: JsonMap) -> bool:
    kinds = schema.get("type")
    forms = cast("list[JsonMap]", schema.get("anyOf", []))
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or any(map(_takes_null, forms))


async def _perform(ctx: BridgeContext, operation: Operation, arguments: JsonMap) -> OperationResult:
    bridge = bridge_of(ctx)
    handler = handler_of(operation)
    own, given = _parted(handler, arguments)
    cursors = SealedCursors(operation, bridge.settings)
    call = cursors.opened(_checked_call(bridge, operation, own, given))
    rows = RowFilter(bridge.fence, bridge.argument_checker.owners)
    perform = partial(perform_with_progress, handler=handler)
    async with AsyncExitStack() as places:
        async with starting(ctx, start_deadline_of(ctx)):
            # OpenCode is started here if it does not run, within the call's deadline.
            await bridge.connection.transport()
            change = bridge.operations.check(operation)
            asks = can_ask(ctx.client_capabilities)
            call = await bridge.argument_checker.admit(operation, arguments, call, asks=asks)
            await places.enter_async_context(run_slots.place_of(bridge, operation, call))
            if call.directory:
                # Open the project now: the call may change something, and must not be sent after its caller gave up.
                await bridge.client.path(call.directory)
        try:
            outcome, left_out = await filled_page(OperationRequest(ctx, operation, call, own), perform, rows)
        except UnsupportedOperation:
            await _refuse_if_missing(bridge, operation)
            raise
    if bridge.in_use:
        bridge.spawn(bridge.operations.learn)
    outcome.value = cursors.sealed(outcome.value)
    outcome.notes += filter(None, [left_out_note(operation, left_out), change])
    return outcome


def _checked_call(bridge: Bridge, operation: Operation, own: JsonMap, given: JsonMap) -> SplitArguments:
    """Return the call to send, after the arguments were checked.

    Raises:
        InvalidArgument: They are wrong; the hint has the differences between the generations and versions of OpenCode.
    """
    try:
        _check_own(operation, handler_of(operation), own)
        return split(operation, given)
    except InvalidArgument as error:
        hints = [error.hint, bridge.operations.known_change(operation), catalog.difference(operation)]
        error.hint = " ".join(filter(None, hints))
        raise


async def _refuse_if_missing(bridge: Bridge, operation: Operation) -> None:
    """Explain why a request failed with an unknown route, if the server's API document lacks the operation.

    Raises:
        UnsupportedOperation: The document has no such operation.
    """
    with anyio.move_on_after(DOCUMENT_SECONDS):
        await bridge.operations.learn()
    bridge.operations.check(operation)


def _parted(handler: OperationHandler, arguments: JsonMap) -> tuple[JsonMap, JsonMap]:
    own = {name: value for name, value in arguments.items() if name in handler.own}
    return own, {name: value for name, value in arguments.items() if name not in own}


def _check_own(operation: Operation, handler: OperationHandler, own: JsonMap) -> None:
    wrong = [text for name, value in own.items() for text in problems(name, handler.own[name], value)]
    if wrong:
        takes = ", ".join(offered_schema(operation)["properties"])
        raise InvalidArgument(" ".join(wrong), hint=f"{operation.id} takes {takes}.")


async def perform_with_progress(request: OperationRequest, handler: OperationHandler) -> OperationResult:
    """Perform a call and send progress meanwhile; add the operation's note to an error."""
    outcomes: list[OperationResult] = []
    errors: list[BridgeError] = []
    # An error that is raised inside the task group would be wrapped in an exception group.
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_send_progress_regularly, request)
        try:
            outcomes.append(await handler.perform(request))
        except BridgeError as error:
            errors.append(error)
        tasks.cancel_scope.cancel()
    for error in errors:
        raise _explained(error, request)
    return outcomes[0]


async def _send_progress_regularly(request: OperationRequest) -> None:
    tell = progress_sender(request.ctx)
    waited = 0.0
    while True:
        await anyio.sleep(HEARTBEAT_SECONDS)
        waited += HEARTBEAT_SECONDS
        await tell(f"waiting for {request.operation.id} ({waited:.0f} s)")


def _has_arguments(request: OperationRequest) -> bool:
    call = request.call
    return bool(call.path or call.query or call.body or request.own)


def _explained(error: BridgeError, request: OperationRequest) -> BridgeError:
    operation = request.operation
    if isinstance(error, BackendFailed) and not error.hint:
        error.hint = WITH_ARGUMENTS if _has_arguments(request) else WITHOUT_ARGUMENTS
    if operation.note and isinstance(error, (BackendError, InvalidArgument)):
        error.message = f"{error.message} Note on {operation.id}: {operation.note}"
    return error

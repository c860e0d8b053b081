"""Handlers of operations that use a terminal: type, read its output, resize, and disconnect."""

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.http_client.terminal import NEW_ONLY, TerminalInput
from opencode_mcp.opencode.operation_catalog.catalog import table_of
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult

SECONDS = 10
ROWS = 24
COLUMNS = 80


async def visit_terminal(request: OperationRequest) -> OperationResult:
    """Type into a terminal, and read its output."""
    own, operations = request.own, request.bridge.operations
    await _resize(request)
    typed = own.get("input", "")
    cursor = own.get("cursor", NEW_ONLY if typed else 0)
    plan = TerminalInput(say=typed, await_text=own.get("wait_for", ""), seconds=own.get("seconds", SECONDS))
    call = request.call._replace(query={"cursor": str(cursor)})
    try:
        output = await operations.use_terminal(request.operation, call, plan)
    except NotFound as error:
        name = request.call.path["ptyID"]
        raise NotFound(f"There is no terminal {name!r}.", hint="pty.list lists them, without exited ones.") from error
    value: dict[str, object] = {"output": output.text, "cursor": output.cursor, "exited": output.exited}
    notes = [f"Go on reading with cursor={output.cursor}."] if output.cut else []
    if plan.await_text:
        value["found"] = output.found
        notes += [] if output.found else ["The awaited text has not come yet."]
    return OperationResult(value, notes=notes)


async def _resize(request: OperationRequest) -> None:
    size = {name: request.own[name] for name in ("rows", "cols") if name in request.own}
    if not size:
        return
    update = table_of(request.operation.generation).operation(request.operation.id.replace("connect", "update"))
    request.bridge.allowed.check(update)
    body = {"size": {"rows": ROWS, "cols": COLUMNS} | size}
    await request.bridge.operations.send(update, request.call._replace(query={}, body=body))

"""The tools that the suite's tasks scenarios call, behind our own Tasks extension, over HTTP on loopback.

``python -m tests.conformance.fixture_server --port 8123`` serves until it is ended.
"""

import argparse

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

from opencode_mcp.server.waiting.tasks_extension import IDENTIFIER, TasksExtension
from tests.conformance.memory_tasks import MemoryTasks, current

ALWAYS = frozenset({"failing_job", "test_tool_with_task"})
"""Tools that only clients with tasks may call."""
TOOLS = (*ALWAYS, "slow_compute", "protocol_error_job", "confirm_delete", "multi_input")
PAUSE = 0.1


async def greet(name: str = "world") -> str:
    """Greet at once."""
    return f"Hello, {name}!"


async def slow_compute(seconds: float = 1, label: str = "") -> str:
    """Take some seconds, and report the progress."""
    task = current.get()
    for tick in range(int(seconds / PAUSE)):
        if task:
            task.report(f"{tick * PAUSE:.1f} s")
        await anyio.sleep(PAUSE)
    return f"done {label}"


async def failing_job(ctx: Context[None, object]) -> str:
    """Fail as a tool does."""
    require_client_extension(ctx.request_context, IDENTIFIER)
    await anyio.sleep(2 * PAUSE)
    raise ToolError("It fails on purpose.")


async def protocol_error_job() -> str:
    """Fail as a protocol does."""
    await anyio.sleep(2 * PAUSE)
    raise MCPError(INTERNAL_ERROR, "It breaks on purpose.")


async def confirm_delete(filename: str = "file") -> str:
    """Ask one thing in the middle."""
    task = current.get()
    if task is None:
        return "It needs a task."
    answers = await task.ask(confirm=_form(f"Delete {filename}?", confirm={"type": "boolean"}))
    return f"answered {answers}"


async def multi_input() -> str:
    """Ask two things at once in the middle."""
    task = current.get()
    if task is None:
        return "It needs a task."
    text = {"type": "string"}
    return f"answered {await task.ask(first=_form('First?', name=text), second=_form('Second?', name=text))}"


async def test_tool_with_task(ctx: Context[None, object]) -> str | InputRequiredResult:
    """Ask before it becomes a task."""
    require_client_extension(ctx.request_context, IDENTIFIER)
    filled = (ctx.input_responses or {}).get("user_name")
    if not isinstance(filled, ElicitResult):
        return InputRequiredResult(
            input_requests={"user_name": _form("Your name?", name={"type": "string"})}, request_state="asked"
        )
    await anyio.sleep(3 * PAUSE)
    return f"Hello, {(filled.content or {}).get('name')}!"


def _form(message: str, **fields: object) -> ElicitRequest:
    schema = {"type": "object", "properties": fields}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def build() -> MCPServer[None]:
    """Make the server."""
    source = MemoryTasks(ALWAYS)
    server = MCPServer[None](
        "fixtures", version="1", lifespan=source.lifespan, extensions=[TasksExtension(source, TOOLS)]
    )
    for handler in (
        greet,
        slow_compute,
        failing_job,
        protocol_error_job,
        confirm_delete,
        multi_input,
        test_tool_with_task,
    ):
        server.add_tool(handler, structured_output=False)
    return server


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    build().run("streamable-http", host="127.0.0.1", port=parser.parse_args().port)


if __name__ == "__main__":
    main()

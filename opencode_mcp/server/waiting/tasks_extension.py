"""Tasks extension of MCP (SEP-2663): the protocol, for any source of tasks.

A client of the 2026-07-28 era that declares the extension may get a task instead of a result. It polls the task with
``tasks/get``, answers its requests with ``tasks/update`` and stops it with ``tasks/cancel``. The source decides what a
task is, where it is stored, and when a call becomes a task; see ``runs_as_mcp_tasks.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, RequestParams
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from opencode_mcp.server.waiting.call_context import MODERN_VERSIONS, McpRequestContext

IDENTIFIER = "io.modelcontextprotocol/tasks"
HEADER_MISMATCH = -32020
MODEL_RESPONSE = "io.modelcontextprotocol/model-immediate-response"
"""Key of MCP's specification for the text that a model gets with a task."""
CLAUDE_TASK = "com.anthropic/agent-task"
"""Key under which Claude Code expects the same text."""

McpTaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """State of a task at one time."""

    task_id: str
    status: McpTaskStatus
    created: str
    """Time of its start, in ISO 8601."""
    updated: str
    """Time of its last change."""
    message: str = ""
    """Present activity, for a person."""
    model_text: str = ""
    """Text that the model gets at once, in place of a result."""
    ttl_ms: int = 86_400_000
    poll_ms: int = 1000
    input_requests: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Forms that it waits for, by keys that are never used again."""
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    def as_offer(self) -> dict[str, Any]:
        """Return the result of a call that became a task."""
        message: dict[str, Any] = {"statusMessage": self.message} if self.message else {}
        if self.model_text:
            message["_meta"] = {
                MODEL_RESPONSE: self.model_text,
                CLAUDE_TASK: {"modelImmediateResponse": self.model_text},
            }
        return {
            "resultType": "task",
            "taskId": self.task_id,
            "status": self.status,
            "createdAt": self.created,
            "lastUpdatedAt": self.updated,
            "ttlMs": self.ttl_ms,
            "pollIntervalMs": self.poll_ms,
        } | message

    def as_answer(self) -> dict[str, Any]:
        """Return the result of ``tasks/get``."""
        answer = self.as_offer() | {"resultType": "complete"}
        match self.status:
            case "input_required":
                return answer | {"inputRequests": dict(self.input_requests)}
            case "completed":
                return answer | {"result": self.result}
            case "failed":
                return answer | {"error": self.error}
            case _:
                return answer


class TaskSource(Protocol):
    """Source of tasks."""

    async def offer(
        self, params: CallToolRequestParams, ctx: McpRequestContext, call_next: CallNext
    ) -> HandlerResult | TaskState:
        """Make a call, and return its result, or the task that it became."""
        ...

    async def get(self, task_id: str, ctx: McpRequestContext) -> TaskState | None:
        """Return the task; ``None`` if there is none with this id."""
        ...

    async def update(self, task_id: str, responses: Mapping[str, Any], ctx: McpRequestContext) -> bool:
        """Accept answers to a task's requests, and ignore unknown keys; return False if there is no such task."""
        ...

    async def cancel(self, task_id: str, ctx: McpRequestContext) -> bool:
        """Stop a task; return False if there is no such task."""
        ...


class _Params(RequestParams):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class TaskParams(_Params):
    """Parameters that name a task."""

    task_id: str


class UpdateParams(TaskParams):
    """Parameters with answers to a task's requests."""

    input_responses: dict[str, Any] = Field(default_factory=dict)


class TasksExtension(Extension):
    """The extension for ``MCPServer``.

    Args:
        source: Source of the tasks.
        tools: Names of the tools whose calls may become tasks.
    """

    identifier = IDENTIFIER

    def __init__(self, source: TaskSource, tools: Sequence[str]) -> None:
        self._source = source
        self._tools = frozenset(tools)

    def methods(self) -> Sequence[MethodBinding]:
        """Return the handlers of ``tasks/get``, ``tasks/update`` and ``tasks/cancel``."""
        return [
            MethodBinding("tasks/get", TaskParams, self._get, MODERN_VERSIONS),
            MethodBinding("tasks/update", UpdateParams, self._update, MODERN_VERSIONS),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, MODERN_VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: McpRequestContext, call_next: CallNext
    ) -> HandlerResult:
        """Let a call become a task if its client supports tasks."""
        if params.name not in self._tools or not declares_tasks(ctx):
            return await call_next(ctx)
        outcome = await self._source.offer(params, ctx, call_next)
        return outcome.as_offer() if isinstance(outcome, TaskState) else outcome

    async def _get(self, ctx: McpRequestContext, params: TaskParams) -> HandlerResult:
        _check(ctx, params)
        task = await self._source.get(params.task_id, ctx)
        if task is None:
            raise _unknown(params)
        return task.as_answer()

    async def _update(self, ctx: McpRequestContext, params: UpdateParams) -> HandlerResult:
        _check(ctx, params)
        if not await self._source.update(params.task_id, params.input_responses, ctx):
            raise _unknown(params)
        return {}

    async def _cancel(self, ctx: McpRequestContext, params: TaskParams) -> HandlerResult:
        _check(ctx, params)
        if not await self._source.cancel(params.task_id, ctx):
            raise _unknown(params)
        return {}


def declares_tasks(ctx: McpRequestContext) -> bool:
    """Return True if this request's client supports tasks."""
    capabilities = ctx.session.client_capabilities
    return ctx.protocol_version in MODERN_VERSIONS and IDENTIFIER in ((capabilities and capabilities.extensions) or {})


def _check(ctx: McpRequestContext, params: TaskParams) -> None:
    """Refuse a client that did not declare the extension, and a header that names another task than the body."""
    headers = getattr(ctx.request, "headers", None)
    if headers is not None and headers.get("mcp-name") != params.task_id:
        raise MCPError(HEADER_MISMATCH, "The header Mcp-Name does not name the task that the request does.")
    require_client_extension(ctx, IDENTIFIER)


def _unknown(params: TaskParams) -> MCPError:
    return MCPError(INVALID_PARAMS, f"There is no task {params.task_id!r}.")

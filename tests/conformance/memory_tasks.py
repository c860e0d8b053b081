"""A source of tasks that lives in memory, so that the suite's own tools can be mounted behind our Tasks extension."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams, CallToolResult, ElicitRequest, InputRequiredResult

from opencode_mcp.server.waiting.call_context import McpRequestContext
from opencode_mcp.server.waiting.tasks_extension import McpTaskStatus, TaskState

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

GRACE = 0.1
ENDS = frozenset({"completed", "failed", "cancelled"})


class MemoryTask:
    """One call that runs on its own."""

    def __init__(self) -> None:
        self.task_id = secrets.token_urlsafe(16)
        self.status: McpTaskStatus = "working"
        self.message = ""
        self.result: Mapping[str, Any] | None = None
        self.error: Mapping[str, Any] | None = None
        self.interim: InputRequiredResult | None = None
        self.pending: dict[str, Mapping[str, Any]] = {}
        self.answers: dict[str, Any] = {}
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self._answered = anyio.Event()
        self._asked = 0
        self._created = self._updated = _now()

    def state(self) -> TaskState:
        """The task as it is now."""
        return TaskState(
            task_id=self.task_id,
            status=self.status,
            created=self._created,
            updated=self._updated,
            message=self.message,
            input_requests=self.pending,
            result=self.result,
            error=self.error,
        )

    def report(self, message: str) -> None:
        """Say what it is doing."""
        self.message, self._updated = message, _now()

    def become(self, status: McpTaskStatus) -> None:
        """Change the status; an end stays."""
        if self.status not in ENDS:
            self.status, self._updated = status, _now()

    async def ask(self, **forms: ElicitRequest) -> dict[str, Any]:
        """Wait for an answer to each of some forms; a key is used once in a task's life."""
        keys = {name: self._new_key(name) for name in forms}
        self.pending |= {keys[name]: _wire(form) for name, form in forms.items()}
        self.become("input_required")
        while self.pending:
            self._answered = anyio.Event()
            await self._answered.wait()
        return {name: self.answers[key] for name, key in keys.items()}

    def _new_key(self, name: str) -> str:
        self._asked += 1
        return f"{name}-{self._asked}"

    def answer(self, responses: Mapping[str, Any]) -> None:
        """Take answers to what is asked; others are passed over."""
        for key in self.pending.keys() & responses.keys():
            self.answers[key] = responses[key]
            del self.pending[key]
        if not self.pending and self.status == "input_required":
            self.become("working")
        self._answered.set()

    async def run(self, ctx: McpRequestContext, call_next: CallNext) -> None:
        """Make the call, and keep how it ended."""
        try:
            with self.scope:
                current.set(self)
                outcome = await call_next(ctx)
                if isinstance(outcome, InputRequiredResult):
                    self.interim = outcome
                else:
                    self.result = {"resultType": "complete"} | _wire(cast("CallToolResult", outcome))
                    self.become("completed")
            if self.scope.cancelled_caught:
                self.become("cancelled")
        except MCPError as error:
            self.error = {"code": error.error.code, "message": error.error.message}
            self.become("failed")
        finally:
            self.done.set()


current: ContextVar[MemoryTask | None] = ContextVar("current", default=None)
"""The task that a tool works for."""


class MemoryTasks:
    """A ``TaskSource``.

    Args:
        always: The tools whose calls become tasks however quick they are.
    """

    def __init__(self, always: frozenset[str]) -> None:
        self._always = always
        self._tasks: dict[str, MemoryTask] = {}
        self._group: TaskGroup | None = None

    @asynccontextmanager
    async def lifespan(self, _server: MCPServer[None]) -> AsyncGenerator[None]:
        """Give the tasks somewhere to run."""
        async with anyio.create_task_group() as self._group:
            yield
            self._group.cancel_scope.cancel()

    async def offer(
        self, params: CallToolRequestParams, ctx: McpRequestContext, call_next: CallNext
    ) -> HandlerResult | TaskState:
        """Make the call on its own; what is quick stays a plain result."""
        assert self._group
        task = MemoryTask()
        self._tasks[task.task_id] = task
        self._group.start_soon(task.run, ctx, call_next)
        with anyio.move_on_after(GRACE):
            await task.done.wait()
        if task.interim or (task.status == "completed" and params.name not in self._always):
            del self._tasks[task.task_id]
            return task.interim or dict(task.result or {})
        return task.state()

    async def get(self, task_id: str, ctx: McpRequestContext) -> TaskState | None:
        """The task, if there is one."""
        del ctx
        task = self._tasks.get(task_id)
        return task.state() if task else None

    async def update(self, task_id: str, responses: Mapping[str, Any], ctx: McpRequestContext) -> bool:
        """Answer it."""
        del ctx
        task = self._tasks.get(task_id)
        if task:
            task.answer(responses)
        return task is not None

    async def cancel(self, task_id: str, ctx: McpRequestContext) -> bool:
        """Stop it."""
        del ctx
        task = self._tasks.get(task_id)
        if task:
            task.become("cancelled")
            task.scope.cancel()
        return task is not None


def _wire(value: CallToolResult | ElicitRequest) -> dict[str, Any]:
    return value.model_dump(by_alias=True, mode="json", exclude_none=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Access log and audit log: a line of JSON for each request, and another one for each that may change something.

The lines go to stderr, whatever the level of the log is. They say who did what, where, for how long and with which
outcome. They contain no prompts, no results and no other contents.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server.context import CallNext, HandlerResult

from opencode_mcp.errors import BridgeError
from opencode_mcp.http.oauth.user import subject_of
from opencode_mcp.http.request_logs.audited_place import directory_of, session_named
from opencode_mcp.http.request_logs.request_names import CALL, known_method, known_tool
from opencode_mcp.http.request_logs.request_outcome import RequestEnd, request_end
from opencode_mcp.server.access.allowed_directories import Roots
from opencode_mcp.server.access.audit_notes.noted_action import NotedAction, noted_action
from opencode_mcp.server.access.operations_of_tools import ONLY_IF_ALLOWED
from opencode_mcp.server.access.setting_names import GENERATIONS, annotations_of
from opencode_mcp.server.stdio.stderr_log import JSON_LINES
from opencode_mcp.server.waiting.call_context import McpRequestContext

if TYPE_CHECKING:
    from opencode_mcp.server.app import ToolNames
    from opencode_mcp.settings import Settings

logger = logging.getLogger(JSON_LINES)

MOST_CHARACTERS = 200
"""Characters of a name that a client chose."""
ACTIONS = frozenset({"tasks/update", "tasks/cancel"})
"""Requests that change something and are no calls of tools."""
TASK_CHARACTERS = 32
"""Characters of the id of a task in the log: ids differ in these, and are useless without the others."""
BY_DEFAULT = "default"
CountRequest = Callable[[str, str, str, float], None]
"""Gets the method of a request, the tool that it calls (empty if none), its outcome and its seconds."""


class RequestLog:
    """Logs of one principal.

    Args:
        settings: Rights of the principal.
        tools: Names of the tools that the principal has.
        count: Counts each request that has ended.
    """

    def __init__(self, settings: "Settings", tools: "ToolNames", count: CountRequest | None = None) -> None:
        self._settings = settings
        self._tools = tools
        self._count = count
        self._default_directory = _default_directory(settings)

    async def middleware(self, ctx: McpRequestContext, call_next: CallNext) -> HandlerResult:
        """Log a request when it ends, however it does."""
        began, end, action = anyio.current_time(), RequestEnd(), NotedAction()
        try:
            with request_end(end), noted_action() as action:
                return end.note(await call_next(ctx))
        finally:
            seconds = anyio.current_time() - began
            if self._count:
                self._count(known_method(ctx), known_tool(ctx, self._tools.listed), end.outcome, seconds)
            self._write(ctx, end, action, seconds)

    def _write(self, ctx: McpRequestContext, end: RequestEnd, action: NotedAction, seconds: float) -> None:
        params: Mapping[str, Any] = ctx.params or {}
        if ctx.method == CALL:
            action = self._called(params, end.answer, action.session)
        who = {"principal": self._settings.principal, "subject": subject_of(ctx.request)}
        line = {**_now(), **who, "method": ctx.method, "tool": action.tool, "session": action.session}
        _log({"log": "access", **line, "seconds": round(seconds, 3), "outcome": end.outcome})
        if ctx.method in ACTIONS:
            task = {"task": str(params.get("taskId", ""))[:TASK_CHARACTERS], "directory": action.directory}
            _log({"log": "audit", **line, **task, **self._decision(end, action.tool)})
        elif action.tool in self._tools.changing:
            operation = str(_mapping(params.get("arguments")).get("operation", ""))
            what = {"operation": operation, "directory": action.directory}
            _log({"log": "audit", **line, **what, **self._decision(end, action.tool, operation)})

    def _called(self, params: Mapping[str, Any], answer: HandlerResult, noted: str) -> NotedAction:
        """Return what a call does, from its arguments and its result, and the session that was noted meanwhile."""
        tool, arguments = str(params.get("name", "")), _mapping(params.get("arguments"))
        session = session_named(tool, arguments) or _session_in(answer) or noted
        return NotedAction(tool, session, directory_of(tool, arguments, self._default_directory))

    def _decision(self, end: RequestEnd, tool: str, operation: str = "") -> Mapping[str, str]:
        """Return the outcome of an action, and what allowed or refused it."""
        allowed_by = "" if end.refused_by else self._allowed_by(tool, operation)
        return {"outcome": end.outcome, "allowed_by": allowed_by, "refused_by": end.refused_by}

    def _allowed_by(self, tool: str, operation: str) -> str:
        """Return the entries of ``allow`` that permit a call; empty if it needs one and there is none."""
        uses = ONLY_IF_ALLOWED[tool] if tool in ONLY_IF_ALLOWED else dict.fromkeys(GENERATIONS, operation)
        known = [annotations_of(one).get(uses[one]) for one in GENERATIONS]
        effects = {found.effect for found in known if found}
        if effects <= {"read", "write"}:
            return BY_DEFAULT
        return ",".join(name for name in self._settings.allow if name in {*uses.values(), *effects})


def log_missing_scopes(principal: str, subject: str, tool: str, scopes: Iterable[str]) -> None:
    """Log a call that is refused before a server of MCP sees it, since its access token lacks scopes."""
    who = {"principal": principal, "subject": subject, "method": CALL, "tool": tool}
    _log({"log": "access", **_now(), **who, "seconds": 0, "outcome": "refused"})
    _log({"log": "audit", **_now(), **who, "outcome": "refused", "refused_by": f"scope {' '.join(scopes)}"})


def _now() -> Mapping[str, str]:
    return {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}


def _default_directory(settings: "Settings") -> str:
    """Return the directory of calls that name none; empty if there is none."""
    try:
        return Roots(settings).default()
    except BridgeError:
        return ""


def _session_in(answer: HandlerResult) -> str:
    """Return the session that the result of a call names."""
    if isinstance(answer, dict):
        return str(_mapping(cast("Mapping[str, Any]", answer).get("structuredContent")).get("session_id", ""))
    return str(_mapping(getattr(answer, "structured_content", None)).get("session_id", ""))


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else dict[str, Any]()


def _log(fields: Mapping[str, object]) -> None:
    kept = {name: value[:MOST_CHARACTERS] if isinstance(value, str) else value for name, value in fields.items()}
    logger.info("%s", json.dumps({name: value for name, value in kept.items() if value != ""}))

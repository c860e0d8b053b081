"""Spans: one for each request of MCP, with its method, tool, principal and outcome, and without any contents.

The SDK makes spans, too, if OpenTelemetry has a provider for the whole process. They contain texts of errors, which
quote arguments. Therefore the bridge gives its provider to this middleware alone, and the SDK's spans are not recorded.
"""

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from opencode_mcp.http.request_logs.request_names import known_method, known_tool
from opencode_mcp.http.request_logs.request_outcome import RequestEnd, request_end

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
    from opentelemetry.trace import Tracer

    from opencode_mcp.server.app import ToolNames
    from opencode_mcp.settings import Settings

PARENT = TraceContextTextMapPropagator()
"""Reads the client's span in the ``_meta`` of a request (W3C Trace Context)."""
FAILURES = frozenset({"error", "failed"})
"""Outcomes that mark a span as failed. A refusal or a cancellation is no failure of the bridge."""


def spans_middleware(tracer: "Tracer", settings: "Settings", tools: "ToolNames") -> "ServerMiddleware[Any]":
    """Return a middleware that makes a span of each request.

    Args:
        tracer: Makes spans.
        settings: Rights of the principal.
        tools: Names of the tools that the principal has.
    """

    async def middleware(ctx: "ServerRequestContext[Any, Any]", call_next: "CallNext") -> "HandlerResult":
        method, tool = known_method(ctx), known_tool(ctx, tools.listed)
        of_tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool} if tool else {}
        with tracer.start_as_current_span(
            f"{method} {tool}".strip(),
            PARENT.extract(dict(ctx.meta or {})),
            SpanKind.SERVER,
            {"mcp.method.name": method, "opencode_mcp.principal": settings.principal, **of_tool},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            end = RequestEnd()
            try:
                with request_end(end):
                    return end.note(await call_next(ctx))
            finally:
                span.set_attribute("opencode_mcp.outcome", end.outcome)
                if end.outcome in FAILURES:
                    span.set_status(StatusCode.ERROR)

    return middleware

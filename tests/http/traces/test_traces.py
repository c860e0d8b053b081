"""Traces: a span for each request, without contents, as the bridge makes it and as a collector gets it."""

import logging
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server.context import ServerMiddleware
from mcp.shared.exceptions import MCPError
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from opencode_mcp.http.traces import tracing
from opencode_mcp.http.traces.exporter import FewLines
from opencode_mcp.http.traces.spans import spans_middleware
from opencode_mcp.http.traces.tracing import is_configured, tracer_of
from opencode_mcp.server.app import ToolNames, build_server
from opencode_mcp.settings import Settings
from tests.harness.bridges.served import serving
from tests.harness.each import for_each
from tests.harness.servers.threaded_server import served_in_thread
from tests.http.operator import Operator, listed

pytestmark = pytest.mark.anyio

SECRET = "something secret"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def finished(tmp_path: Path) -> "tuple[Client, InMemorySpanExporter]":
    """A client of a server in this process, and its spans that have ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(state_directory=tmp_path, principal="laptop")
    make = partial(spans_middleware, provider.get_tracer("test"), settings)

    def observers(tools: ToolNames) -> list[ServerMiddleware[Any]]:
        return [make(tools)]

    return Client(build_server(settings, observe=observers)), exporter


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in exporter.get_finished_spans() if span.name == name)


async def test_a_request_is_a_span_with_its_method_tool_principal_and_outcome(
    finished: tuple[Client, InMemorySpanExporter],
) -> None:
    client, exporter = finished
    async with client:
        await client.list_tools()
        await client.call_tool(
            "opencode_run", {"promt": SECRET}, meta={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        )
        with suppress(MCPError):
            await client.call_tool(SECRET, {})
        with suppress(MCPError):
            await client.read_resource(f"opencode://{SECRET}")
    span = named(exporter, "tools/call opencode_run")
    assert span.attributes == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "opencode_run",
        "opencode_mcp.principal": "laptop",
        "opencode_mcp.outcome": "error",
    }
    assert span.status.status_code == StatusCode.ERROR
    assert span.context
    assert f"{span.context.trace_id:032x}" == TRACE
    assert (named(exporter, "tools/list").attributes or {})["opencode_mcp.outcome"] == "ok"
    assert named(exporter, "tools/call other")
    assert (named(exporter, "resources/read").attributes or {})["opencode_mcp.outcome"] == "refused"
    assert SECRET not in str([span.to_json() for span in exporter.get_finished_spans()])


@contextmanager
def collector() -> Generator[tuple[str, list[bytes]]]:
    """Run a collector, and yield its URL and the bodies that it gets."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.path.encode() + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with served_in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}", bodies


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that ends the bridge politely")
async def test_a_collector_gets_the_spans_before_the_bridge_ends(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    token = operator.principal("laptop")
    with collector() as (url, bodies):
        launch = operator.launch.within(OTEL_EXPORTER_OTLP_ENDPOINT=url)
        with serving(launch, "--log-level", "WARNING") as served:
            assert (await listed(served, token)).status_code == 200
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(20) == 0
    sent = b"".join(bodies)
    assert sent.startswith(b"/v1/traces")
    assert b"tools/list" in sent
    assert b"laptop" in sent
    assert token.encode() not in sent


class StuckProvider(TracerProvider):
    """A provider whose collector does not answer."""

    def __init__(self) -> None:
        super().__init__(shutdown_on_exit=False)
        self.released = threading.Event()
        self.ended_by: threading.Thread | None = None

    def shutdown(self) -> None:
        """Wait for the collector."""
        self.ended_by = threading.current_thread()
        self.released.wait()


async def test_the_bridge_ends_although_a_collector_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = StuckProvider()
    monkeypatch.setattr(tracing.exporter, "provider_for_collector", lambda: provider)
    monkeypatch.setattr(tracing, "FLUSH_SECONDS", 0.01)
    with anyio.fail_after(20):
        async with tracer_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}):
            pass
    assert provider.ended_by
    assert provider.ended_by.daemon, "Python waits for other threads at its end"
    provider.released.set()


def test_a_collector_that_is_down_does_not_fill_the_log() -> None:
    few = FewLines()
    record = logging.makeLogRecord({"msg": "Transient error"})
    assert [few.filter(record) for _ in range(3)] == [True, False, False]


@for_each(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "console,otlp"}, True),
    ],
)
def test_the_variables_of_opentelemetry_decide(variables: dict[str, str], wanted: bool) -> None:  # noqa: FBT001
    assert is_configured(variables) is wanted


async def test_without_the_library_a_line_in_the_log_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(tracing.exporter, "provider_for_collector", missing)
    async with tracer_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}) as tracer:
        assert tracer is None
    assert "install opencode-mcp[traces]" in caplog.text

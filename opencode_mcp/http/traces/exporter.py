"""Tracer that sends spans to a collector, by OTLP over HTTP. OpenTelemetry's library reads its variables itself."""

import logging
import time
from math import inf

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opencode_mcp import __version__

SERVICE = "opencode-mcp"
LINE_SECONDS = 60.0
"""Time between two lines of the library in the log: it writes several for each failure of the collector."""


class FewLines(logging.Filter):
    """Lets one line through in ``LINE_SECONDS``."""

    def __init__(self) -> None:
        super().__init__()
        self._last = -inf

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature of logging
        """Return True for a line that is written."""
        now = time.monotonic()
        if now - self._last < LINE_SECONDS:
            return False
        self._last = now
        return True


def provider_for_collector() -> TracerProvider:
    """Return a provider whose spans are sent; ``OTEL_SERVICE_NAME`` and others change what it says of the service."""
    logging.getLogger(trace_exporter.__name__).addFilter(FewLines())
    own = Resource({"service.name": SERVICE, "service.version": __version__})
    # Its handler at the exit of Python would wait for a collector that is down.
    provider = TracerProvider(resource=own.merge(Resource.create()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(trace_exporter.OTLPSpanExporter()))
    return provider

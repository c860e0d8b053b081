"""Tracer that sends spans to a collector, by OTLP over HTTP. OpenTelemetry's library reads its variables itself."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opencode_mcp import __version__

SERVICE = "opencode-mcp"


def provider_for_collector() -> TracerProvider:
    """Return a provider whose spans are sent; ``OTEL_SERVICE_NAME`` and others change what it says of the service."""
    own = Resource({"service.name": SERVICE, "service.version": __version__})
    provider = TracerProvider(resource=own.merge(Resource.create()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider

"""Traces for OpenTelemetry: a span for each request of MCP, and where the spans are sent."""

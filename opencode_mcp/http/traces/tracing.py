"""Decide whether spans are recorded: if the variables of OpenTelemetry name a collector."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from threading import Thread
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp import __version__
from opencode_mcp.http.traces import exporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)

ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
FLUSH_SECONDS = 2.0
"""Time for sending the last spans when the bridge ends."""


def is_configured(environment: Mapping[str, str]) -> bool:
    """Return True if the variables of OpenTelemetry ask for traces that the bridge can send."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    wanted = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    return not is_off and "otlp" in wanted.split(",") and any(environment.get(name) for name in ADDRESSES)


@asynccontextmanager
async def tracer_of(environment: Mapping[str, str]) -> "AsyncGenerator[Tracer | None]":
    """Yield a tracer for the length of the block; ``None`` if no traces are wanted, or the library is missing."""
    provider = _provider() if is_configured(environment) else None
    if provider is None:
        yield None
        return
    try:
        yield provider.get_tracer("opencode-mcp", __version__)
    finally:
        # Python waits at its end for anyio's threads, and the library for a collector that is down.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(ending.join, FLUSH_SECONDS)


def _provider() -> "TracerProvider | None":
    try:
        return exporter.provider_for_collector()
    except ModuleNotFoundError:
        logger.warning("there are no traces: install opencode-mcp[traces], or unset %s", " and ".join(ADDRESSES))
        return None

"""Instruments: what is counted, under which names, and the text that Prometheus reads.

The values of labels come from fixed lists, so that no client can make new time series: an unknown method or tool is
``other``. No label holds a session, a principal or anything else that a client chose.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from opencode_mcp.batch_queue.tasks import UNFINISHED
from opencode_mcp.http.metrics.current_state import CurrentState

PREFIX = "opencode_mcp"
BUCKETS_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper limits of the durations that are counted together; a call that waits for a run takes minutes."""
RUN_STATES = ("busy", "retry", "waiting")
GAUGES = {
    "connections": "Open connections of clients",
    "sessions": "Open sessions of MCP, of the 2025 era",
    "waits": "Calls that wait for a run",
}
"""Help on each field of ``CurrentState`` that is one number and no total."""
TOTALS = {
    "reconnects": ("upstream_reconnects", "Times that the stream of OpenCode's events was opened again"),
    "wrong_tokens": ("failed_authentications", "Requests with a token that is wrong, or belongs to nobody"),
}
"""Name and help of each field of ``CurrentState`` that is a total."""


class Instruments:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._present = _PresentState()
        self._registry.register(self._present)
        self._requests = Counter(
            "requests",
            "Requests of MCP that have ended",
            ("method", "tool", "outcome"),
            namespace=PREFIX,
            registry=self._registry,
        )
        self._durations = Histogram(
            "request_seconds",
            "Durations of the requests",
            ("method", "tool"),
            namespace=PREFIX,
            registry=self._registry,
            buckets=BUCKETS_SECONDS,
        )
        self._responses = Counter(
            "http_responses", "HTTP responses", ("status",), namespace=PREFIX, registry=self._registry
        )

    def count_request(self, method: str, tool: str, outcome: str, seconds: float) -> None:
        """Count a request of MCP that has ended.

        Args:
            method: Its method, or ``other``.
            tool: The tool that it calls, or ``other``; empty if it calls none.
            outcome: ``ok``, ``error``, ``refused``, ``cancelled`` or ``failed``.
            seconds: Its duration.
        """
        self._requests.labels(method, tool, outcome).inc()
        self._durations.labels(method, tool).observe(seconds)

    def count_response(self, status: int) -> None:
        """Count an HTTP response."""
        self._responses.labels(str(status)).inc()

    def text(self, present: CurrentState) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._present.state = present
        return generate_latest(self._registry)


class _PresentState(Collector):
    """Metrics that are read and not counted."""

    def __init__(self) -> None:
        self.state = CurrentState()

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics."""
        for name, help_text in GAUGES.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=getattr(self.state, name))
        for field, (name, help_text) in TOTALS.items():
            yield CounterMetricFamily(f"{PREFIX}_{name}", help_text, value=getattr(self.state, field))
        yield _by_label("runs", "Sessions of OpenCode at work, without subagents", "state", RUN_STATES, self.state.runs)
        yield _by_label("tasks", "Unfinished tasks of batches", "status", UNFINISHED, self.state.tasks)


def _by_label(name: str, help_text: str, label: str, values: Iterable[str], numbers: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help_text, labels=(label,))
    for value in values:
        family.add_metric((value,), numbers.get(value, 0))
    return family

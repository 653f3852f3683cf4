"""OpenTelemetry: traces and metrics over OTLP, with the conventions of FaaS and CloudEvents.

Address, headers and protocol come from the standard variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, …).
A platform freezes an instance between two events, and what is still in memory then arrives hours
later or never. So what was recorded is sent before the answer, for at most :data:`FLUSH_S`; while
the collector does not take it in that time, no further answer waits for it for :data:`PAUSE_S`.
https://opentelemetry.io/docs/specs/semconv/faas/ (read 2026-11).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sgguard
from sgguard import lazy
from sgguard.telemetry.registry import METRICS, Metric
from sgguard.telemetry.traces import Attributes, Span, SpanKind, Value

if TYPE_CHECKING:
    from opentelemetry import propagate, trace
    from opentelemetry.exporter.otlp.proto.http import metric_exporter, trace_exporter
    from opentelemetry.sdk import metrics as sdk_metrics
    from opentelemetry.sdk import resources
    from opentelemetry.sdk import trace as sdk_trace
    from opentelemetry.sdk.metrics import export as metric_export
    from opentelemetry.sdk.trace import export as span_export
else:
    # 100 ms that only a function with SGGUARD_OTEL pays.
    propagate = lazy("opentelemetry.propagate")
    trace = lazy("opentelemetry.trace")
    metric_exporter = lazy("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    trace_exporter = lazy("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    sdk_metrics = lazy("opentelemetry.sdk.metrics")
    resources = lazy("opentelemetry.sdk.resources")
    sdk_trace = lazy("opentelemetry.sdk.trace")
    metric_export = lazy("opentelemetry.sdk.metrics.export")
    span_export = lazy("opentelemetry.sdk.trace.export")

FLUSH_S = 1.0
"""The longest that an answer waits for what was recorded to be sent."""
PAUSE_S = 30.0
"""How long nothing is waited for after a collector that took longer."""

# What tells where a function runs: variable → attribute, by the variable that only it sets.
_PLATFORMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "FC_FUNCTION_NAME": (
        "alibaba_cloud",
        "alibaba_cloud_fc",
        {
            "FC_FUNCTION_NAME": "faas.name",
            "FC_QUALIFIER": "faas.version",
            "FC_INSTANCE_ID": "faas.instance",
            "FC_REGION": "cloud.region",
        },
    ),
    "SCF_FUNCTIONNAME": (
        "tencent_cloud",
        "tencent_cloud_scf",
        {
            "SCF_FUNCTIONNAME": "faas.name",
            "SCF_FUNCTIONVERSION": "faas.version",
            "TENCENTCLOUD_REGION": "cloud.region",
        },
    ),
    # No value of the conventions stands for Huawei Cloud: these are ours.
    "RUNTIME_FUNC_NAME": (
        "huawei_cloud",
        "huawei_cloud_functiongraph",
        {"RUNTIME_FUNC_NAME": "faas.name", "RUNTIME_FUNC_VERSION": "faas.version"},
    ),
    "K_SERVICE": ("", "", {"K_SERVICE": "faas.name", "K_REVISION": "faas.version"}),
}


def resource(env: Mapping[str, str]) -> dict[str, str]:
    """Return what tells this instance from others, as attributes of a resource."""
    found = {
        "service.name": env.get("OTEL_SERVICE_NAME", "").strip() or "sgguard",
        "service.version": sgguard.__version__,
    }
    for mark, (provider, platform, names) in _PLATFORMS.items():
        if env.get(mark, "").strip():
            found["cloud.provider"], found["cloud.platform"] = provider, platform
            found |= {name: env.get(variable, "") for variable, name in names.items()}
            break
    return {name: value for name, value in found.items() if value}


class OpenTelemetry:
    """Tracer and sink of metrics in one; ``flush`` sends both before a platform freezes."""

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        spans: Any = None,
        metrics: Any = None,
        clock: Callable[[], float] = time.monotonic,
        flush_s: float = FLUSH_S,
    ) -> None:
        """Set up; ``spans`` and ``metrics`` replace the exporters over OTLP."""
        about = resources.Resource.create(dict(resource(env)))
        self._clock, self._flush_s, self._paused_until_s = clock, flush_s, 0.0
        self._sending: threading.Thread | None = None
        self._provider = sdk_trace.TracerProvider(resource=about, shutdown_on_exit=False)
        self._provider.add_span_processor(
            span_export.BatchSpanProcessor(
                spans or trace_exporter.OTLPSpanExporter(timeout=flush_s)
            )
        )
        self._tracer = self._provider.get_tracer("sgguard", sgguard.__version__)
        reader = metrics or metric_export.PeriodicExportingMetricReader(
            metric_exporter.OTLPMetricExporter(timeout=flush_s)
        )
        self._meters = sdk_metrics.MeterProvider([reader], about, shutdown_on_exit=False)
        self._meter = self._meters.get_meter("sgguard", sgguard.__version__)
        # All of them at once: made with the first number, two threads could make one twice.
        self._counters = {
            one.name: self._meter.create_counter(one.otel, one.unit, one.help)
            for one in METRICS
            if one.kind == "counter"
        }
        self._histograms = {
            one.name: self._meter.create_histogram(
                one.otel, one.unit, one.help, explicit_bucket_boundaries_advisory=one.buckets
            )
            for one in METRICS
            if one.kind == "histogram"
        }

    # -- metrics ---------------------------------------------------------------------------

    def add(self, metric: Metric, amount: float, labels: tuple[str, ...]) -> None:
        """Add to a counter."""
        self._counters[metric.name].add(amount, _attributes(metric, labels))

    def observe(self, metric: Metric, value: float, labels: tuple[str, ...]) -> None:
        """Put a value into a histogram."""
        self._histograms[metric.name].record(value, _attributes(metric, labels))

    # -- traces ----------------------------------------------------------------------------

    @contextmanager
    def span(
        self, name: str, kind: SpanKind, attributes: Attributes, parent: Mapping[str, str]
    ) -> Iterator[Span]:
        """Begin a span; an error that leaves it is named by its class."""
        context = propagate.extract(parent) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context,
            trace.SpanKind[kind.upper()],
            dict(attributes),
            record_exception=False,  # its text and traceback may quote what nobody may see
            set_status_on_exception=False,
        ) as begun:
            span = _Span(begun)
            try:
                yield span
            except Exception as error:
                span.fail(type(error).__name__)
                raise

    def event(self, name: str, attributes: Attributes) -> None:
        """Add an event to the span under way."""
        trace.get_current_span().add_event(name, dict(attributes))

    def trace_id(self) -> str:
        """Return the id of the trace under way, empty where there is none."""
        found = trace.get_current_span().get_span_context()
        return trace.format_trace_id(found.trace_id) if found.is_valid else ""

    # -- before the platform freezes ---------------------------------------------------------

    def flush(self) -> bool:
        """Send what was recorded, for ``flush_s`` at most; return whether all of it was sent."""
        is_busy = self._sending is not None and self._sending.is_alive()
        if is_busy or self._clock() < self._paused_until_s:
            return False
        # The library's own time limit is not kept for spans: a thread of ours is left behind.
        thread = threading.Thread(target=self._send, name="sgguard-telemetry", daemon=True)
        self._sending = thread
        thread.start()
        thread.join(self._flush_s)
        if thread.is_alive():
            self._paused_until_s = self._clock() + PAUSE_S
        return not thread.is_alive()

    def _send(self) -> None:
        milliseconds = round(self._flush_s * 1000)
        self._provider.force_flush(milliseconds)
        self._meters.force_flush(milliseconds)


class _Span:
    """A span of the library, as the code sees it."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, **attributes: Value) -> None:
        """Add attributes, with ``__`` in a name for each dot."""
        for name, value in attributes.items():
            self._span.set_attribute(name.replace("__", "."), value)

    def fail(self, error: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", error)
        self._span.set_status(trace.StatusCode.ERROR)


def _attributes(metric: Metric, labels: tuple[str, ...]) -> dict[str, str]:
    return {label.name: value for label, value in zip(metric.labels, labels, strict=True) if value}

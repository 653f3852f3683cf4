"""Traces and metrics over OpenTelemetry: conventions, secrets, and the time that a flush takes."""

from __future__ import annotations

import json
import threading

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sgguard.emulator.faults import Fault
from sgguard.errors import UnreachableError
from sgguard.telemetry import metrics, otel, registry, setup, traces
from sgguard.telemetry.setup import Telemetry
from tests.deployment import address, secrets
from tests.remedy.harness import Harness
from tests.telemetry.test_metrics import ask
from tests.worlds import world_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Recorded:
    """What a function sent, kept in memory."""

    def __init__(self, **more):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.made = otel.OpenTelemetry({}, spans=self.exporter, metrics=self.reader, **more)

    def spans(self):
        self.made.flush()
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def everything(self) -> str:
        self.made.flush()
        spans = [span.to_json() for span in self.exporter.get_finished_spans()]
        return json.dumps(spans) + self.reader.get_metrics_data().to_json()

    def metrics(self):
        data = self.reader.get_metrics_data()
        return {
            one.name: one
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for one in scope.metrics
        }


@pytest.fixture
def recorded(monkeypatch):
    found = Recorded()
    metrics.send_to(found.made)
    traces.send_to(found.made)
    monkeypatch.setattr(setup, "of", lambda env: Telemetry(None, found.made, flushes=True))
    return found


def test_a_request_is_one_trace_of_its_caller_with_a_span_for_each_call(deployed, recorded):
    ask(deployed(), headers={"traceparent": PARENT, "x-fc-request-id": "1-abc"})
    spans = recorded.spans()
    server, call = spans["delete_request"], spans["tencent DescribeSecurityGroups"]
    assert f"{server.context.trace_id:032x}" == TRACE
    assert call.context.trace_id == server.context.trace_id
    assert call.parent is not None
    assert (server.kind.name, call.kind.name) == ("SERVER", "CLIENT")
    assert server.attributes["faas.trigger"] == "http"
    assert server.attributes["faas.invocation_id"] == "1-abc"
    assert server.attributes["http.response.status_code"] == 200
    assert call.attributes["sgguard.result"] == "ok"
    (decided,) = [one for one in server.events if one.name == "decided"]
    assert decided.attributes["sgguard.verdict"] == "block"


def test_the_trace_of_a_cloud_event_is_continued(deployed, recorded):
    headers = {"ce-id": "e-1", "ce-source": "/portal", "ce-specversion": "1.0"}
    headers |= {"ce-type": "sgguard.delete.requested.v1", "ce-traceparent": PARENT}
    ask(deployed(), headers=headers)
    server = recorded.spans()["delete_request"]
    assert f"{server.context.trace_id:032x}" == TRACE
    (event,) = [one for one in server.events if one.name == "delivered"]
    assert event.attributes["cloudevents.event_id"] == "e-1"
    assert event.attributes["cloudevents.event_source"] == "/portal"


def test_what_fails_is_marked_with_its_kind_and_without_its_text(recorded, tmp_path):
    world = world_of("tencent")
    made = Harness(world, tmp_path)
    made.emulator.faults.append(Fault("drop", count=1000))
    with pytest.raises(UnreachableError):
        made.delete(world.free)
    recorded.made.flush()
    failed = recorded.exporter.get_finished_spans()
    assert {one.attributes["sgguard.result"] for one in failed} == {"unreachable"}
    assert {one.attributes["error.type"] for one in failed} == {"UnreachableError"}
    assert not [one for one in failed if one.events]


def test_metrics_have_the_names_of_the_conventions(deployed, recorded):
    ask(deployed())
    found = recorded.metrics()
    known = {one.otel: one for one in registry.METRICS}
    assert {"faas.invocations", "faas.invoke_duration", "sgguard.decisions"} <= set(found)
    for name, metric in found.items():
        assert metric.unit == known[name].unit
    (point,) = found["faas.invoke_duration"].data.data_points
    assert point.explicit_bounds == registry.REQUEST_SECONDS.buckets


def test_log_lines_name_the_trace(deployed, recorded, capsys):
    client = deployed()
    ask(client, headers={"traceparent": PARENT})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (decided,) = [line for line in lines if line["msg"] == "decided"]
    assert decided["trace_id"] == TRACE


def test_no_secret_is_in_a_span_or_a_metric(deployed, recorded):
    planted = "s3cret-planted"
    headers = {"Authorization": f"Bearer {planted}", "x-fc-access-key-secret": planted}
    headers |= {"Cookie": planted, "tracestate": f"vendor={planted}", "traceparent": PARENT}
    client = deployed()
    ask(client, headers=headers)
    client.post(f"/{planted}?token={planted}", data=planted)
    client.open("/", method=planted.upper())
    ask(client, headers={"x-request-id": f"Bearer {planted}"})
    body = {"target": address(world_of("tencent"), "free"), "id": secrets().copy().pop()}
    client.post("/", json=body)
    text = recorded.everything().lower()
    assert "sgguard.decisions" in text
    assert planted not in text
    assert not [one for one in secrets() if one.lower() in text]


class Deaf(SpanExporter):
    """A collector that takes nothing until it may."""

    def __init__(self):
        self.may = threading.Event()

    def export(self, spans):
        self.may.wait(30)
        return SpanExportResult.SUCCESS


def test_a_deaf_collector_is_waited_for_once_and_then_left_alone():
    deaf, now = Deaf(), [0.0]
    made = otel.OpenTelemetry(
        {}, spans=deaf, metrics=InMemoryMetricReader(), clock=lambda: now[0], flush_s=0.01
    )
    with made.span("work", "internal", {}, {}):
        pass
    try:
        assert not made.flush()
        sending = made._sending
        assert not made.flush()
        assert made._sending is sending, "a second thread waits for the same collector"
    finally:
        deaf.may.set()
    sending.join()
    assert not made.flush(), "it is left alone for a while, though it would take it"
    now[0] = otel.PAUSE_S + 1
    made._flush_s = 30
    assert made.flush()


def test_where_a_function_runs_is_told_by_its_platform():
    env = {"FC_FUNCTION_NAME": "guard", "FC_QUALIFIER": "LATEST", "FC_REGION": "cn-hangzhou"}
    found = otel.resource(env)
    assert found["cloud.platform"] == "alibaba_cloud_fc"
    assert (found["faas.name"], found["faas.version"]) == ("guard", "LATEST")
    assert found["cloud.region"] == "cn-hangzhou"
    assert "cloud.provider" not in otel.resource({"K_SERVICE": "guard"})
    assert otel.resource({"OTEL_SERVICE_NAME": "shop"})["service.name"] == "shop"

"""What is counted of a request, and the page that shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

import sgguard
from sgguard.emulator.faults import Fault
from sgguard.errors import SettingsError
from sgguard.store import open_store
from sgguard.telemetry import exposition, metrics, registry, setup
from sgguard.web import observe, server
from sgguard.web.installed import functions
from tests.deployment import address, secrets
from tests.remedy.harness import Harness
from tests.worlds import world_of

WORLD = world_of("tencent")


def ask(client, who: str = "referenced", **more):
    return client.post("/", json={"target": address(WORLD, who)}, **more)


def numbers(client) -> dict[str, float]:
    """Every sample of the page, its labels in braces."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return samples(answer.text)


def samples(page: str) -> dict[str, float]:
    return {
        named(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.name.endswith(("_created", "_bucket"))
    }


def named(name: str, labels: dict[str, str]) -> str:
    return f"{name}{json.dumps(labels, sort_keys=True)}"


def number(found: dict[str, float], name: str, **labels: str) -> float:
    return found[named(name, labels)]


def test_there_is_no_page_unless_it_is_asked_for(deployed):
    client = deployed()
    assert ask(client).status_code == 200
    assert client.get("/metrics").status_code == 404
    assert not metrics.is_on()


def test_a_decision_is_counted_with_its_reasons_its_calls_and_its_answer(deployed):
    client = deployed(SGGUARD_METRICS="on")
    assert ask(client).json["verdict"] == "block"
    assert client.post("/", json={"target": "nonsense"}).status_code == 400
    found = numbers(client)
    decision = {"guard": "delete", "provider": "tencent", "mode": "observe", "verdict": "block"}
    assert number(found, "sgguard_decisions_total", **decision) == 1
    reason = {"provider": "tencent", "code": "referenced"}
    assert number(found, "sgguard_reasons_total", **reason) == 1
    calls = {"provider": "tencent", "result": "ok"}
    assert number(found, "sgguard_cloud_calls_total", **calls) >= 3
    for status in ("200", "400"):
        of = {"function": "delete_request", "status": status}
        assert number(found, "sgguard_requests_total", **of) == 1
    assert number(found, "sgguard_problems_total", problem="invalid-event") == 1
    took = number(
        found, "sgguard_decision_duration_seconds_sum", guard="delete", provider="tencent"
    )
    assert took > 0


@pytest.fixture
def harness(tmp_path):
    """Deliveries to the handlers on clocks that jump over every wait, and what they counted."""
    made = Harness(WORLD, tmp_path)
    sink = exposition.Prometheus()
    metrics.send_to(sink)
    return made, lambda: samples(sink.page(()).decode())


def test_failed_calls_and_their_repetition_are_counted_by_the_kind_of_error(harness):
    made, counted = harness
    made.emulator.faults.append(Fault("throttle", action="DescribeSecurityGroups"))
    made.delete(WORLD.free)
    throttled = {"provider": "tencent", "result": "throttled"}
    assert number(counted(), "sgguard_cloud_calls_total", **throttled) == 1
    assert number(counted(), "sgguard_cloud_retries_total", provider="tencent") == 1


def test_a_plan_is_counted_by_how_it_ended(harness):
    made, counted = harness
    assert made.delete(WORLD.referenced)["outcome"] == "remediated"
    ended = {"provider": "tencent", "outcome": "remediated"}
    assert number(counted(), "sgguard_plans_total", **ended) == 1


def test_the_page_tells_what_only_the_store_knows(deployed):
    client = deployed(SGGUARD_METRICS="on")
    found = numbers(client)
    assert number(found, "sgguard_changes_halted") == 0
    assert number(found, "sgguard_runs", state="stuck") == 0
    assert number(found, "sgguard_store_up") == 1
    open_store(os.environ["SGGUARD_STORE"]).halt("olga", "drill")
    assert number(numbers(client), "sgguard_changes_halted") == 1


def test_a_store_that_cannot_be_read_is_told_and_hides_no_other_number(
    deployed, tmp_path, monkeypatch
):
    client = deployed(SGGUARD_METRICS="on")
    ask(client)
    (tmp_path / "file").touch()
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{tmp_path}/file/guard.db")
    found = numbers(client)
    assert number(found, "sgguard_store_up") == 0
    assert any(name.startswith("sgguard_decisions_total") for name in found)


def test_no_secret_and_nothing_that_was_sent_is_on_the_page(deployed):
    client = deployed(SGGUARD_METRICS="on")
    planted = "s3cret-planted"
    headers = {"Authorization": f"Bearer {planted}", "x-fc-security-token": planted}
    headers |= {"ce-id": planted, "ce-source": f"/{planted}", "ce-type": planted}
    ask(client, headers=headers)
    client.post("/", data=planted)
    client.post(f"/{planted}?{planted}")
    client.post("/", json={"target": f"tencent::{planted}:sg-{planted}", planted: planted})
    page = client.get("/metrics").text
    assert "sgguard_requests_total" in page
    assert planted not in page
    assert not [one for one in secrets() if one in page]


def test_a_sink_that_fails_costs_a_number_and_no_answer(deployed, monkeypatch):
    class Broken:
        def add(self, *_):
            raise OSError("disk full")

        observe = add

    client = deployed(SGGUARD_METRICS="on")
    ask(client)
    metrics.send_to(Broken())
    assert ask(client).json["verdict"] == "block"


def test_only_known_labels_are_counted():
    seen = []

    class Sink:
        def add(self, metric, amount, labels):
            seen.append(labels)

    metrics.send_to(Sink())
    metrics.count(registry.REASONS, provider="nowhere", code="bound")
    assert seen == [("other", "bound")]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"SGGUARD_METRICS": "yes"}, "expected one of off, on"),
        ({"SGGUARD_OTEL": "on"}, "expected one of off, flush, batch"),
        ({"SGGUARD_METRICS": "on", "WORKERS": "4"}, "PROMETHEUS_MULTIPROC_DIR"),
    ],
)
def test_what_would_count_wrongly_does_not_start(settings, told):
    with pytest.raises(SettingsError, match=told):
        observe.require_usable(settings)
    observe.require_usable({"SGGUARD_METRICS": "on", "WORKERS": "1"})
    observe.require_usable(
        {"SGGUARD_METRICS": "on", "WORKERS": "4", "PROMETHEUS_MULTIPROC_DIR": "/run/sgguard"}
    )


def test_requests_that_come_at_once_are_counted_in_one_place(monkeypatch):
    made, together = [], threading.Barrier(8)

    class Slow(exposition.Prometheus):
        def __init__(self):
            made.append(self)
            for _ in range(500):
                time.sleep(0)  # the others get their turn before this one is ready
            super().__init__()

    monkeypatch.setattr(exposition, "Prometheus", Slow)

    def begin(_: int) -> setup.Telemetry:
        together.wait(30)
        return setup.of({"SGGUARD_METRICS": "on"})

    with ThreadPoolExecutor(8) as requests:
        found = set(requests.map(begin, range(8)))
    assert len(made) == 1
    assert {one.prometheus for one in found} == set(made)


_PART = """
import os, sys
from sgguard.telemetry import metrics, registry, setup
made = setup.of(os.environ)
for _ in range(int(sys.argv[1])):
    metrics.count(registry.REASONS, provider="tencent", code="bound")
    metrics.observe(registry.REQUEST_SECONDS, 0.02, function="delete_request")
sys.stdout.buffer.write(made.prometheus.page(()))
"""


@pytest.mark.slow
def test_the_numbers_of_all_processes_are_added_up(tmp_path):
    env = {**os.environ, "SGGUARD_METRICS": "on", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    pages = [
        subprocess.run(
            [sys.executable, "-c", _PART, times],
            env=env,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for times in ("3", "4")
    ]
    counted = 'sgguard_reasons_total{code="bound",provider="tencent"} '
    assert f"{counted}3.0" in pages[0]
    assert f"{counted}7.0" in pages[1]
    assert 'sgguard_request_duration_seconds_count{function="delete_request"} 7.0' in pages[1]


_START = """
import os, sys
from sgguard.telemetry import setup
import functions.delete_request.main
setup.of(os.environ)
print({name.split(".")[0] for name in sys.modules} & {"prometheus_client", "opentelemetry"})
"""


def test_a_function_that_counts_nothing_imports_no_library_for_it():
    env = {**os.environ, "PYTHONPATH": ".", "HOST": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", _START], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_server_of_all_functions_has_one_page_at_its_root_when_it_is_asked_for(
    deployed, monkeypatch
):
    deployed(SGGUARD_METRICS="on")
    app = Client(server.application(functions()))
    asked = app.post("/delete_request", json={"target": "nonsense"})
    found = samples(app.get("/metrics").text)
    of = {"function": "delete_request", "status": str(asked.status_code)}
    assert number(found, "sgguard_requests_total", **of) == 1
    assert number(found, "sgguard_info", version=sgguard.__version__) == 1
    assert app.get("/metrics").headers["Content-Type"] == exposition.CONTENT_TYPE
    assert (app.head("/metrics").data, app.post("/metrics").status_code) == (b"", 405)
    monkeypatch.setenv("SGGUARD_METRICS", "off")
    assert app.get("/metrics").status_code == 404

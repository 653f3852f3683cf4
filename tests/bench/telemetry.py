"""What it costs to count and to trace: CPU of the same request with and without."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import functions_framework
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sgguard.telemetry import exposition, metrics, otel, setup, traces
from sgguard.telemetry.setup import NOTHING, Telemetry
from sgguard.web import server
from tests.bench.clouds import environment
from tests.bench.measure import Ratio, interleaved
from tests.bench.replay import recorded, replayed
from tests.bench.way import environment as in_environment
from tests.worlds import world_of

REQUESTS = 40


def measure(runs: int = 9) -> list[Ratio]:
    world = world_of("tencent")
    _, answers = recorded(world)
    open_telemetry = otel.OpenTelemetry(
        {}, spans=InMemorySpanExporter(), metrics=InMemoryMetricReader()
    )
    kinds = {
        "counted for Prometheus": (Telemetry(exposition.Prometheus()), 1.05),
        "counted and traced by OpenTelemetry": (Telemetry(None, open_telemetry), 1.30),
    }
    with tempfile.TemporaryDirectory() as tmp, replayed(answers, Path(tmp)) as url:
        env = environment(world, url) | {"HOST": "127.0.0.1"}
        env["SGGUARD_STORE"] = f"sqlite:///{tmp}/guard.db"
        target = f"{world.provider}::{world.region}:{world.free}"
        return [_cost(what, how, (env, target), runs) for what, how in kinds.items()]


def _cost(
    what: str, how: tuple[Telemetry, float], asked: tuple[dict[str, str], str], runs: int
) -> Ratio:
    (telemetry, aim), (env, target) = how, asked
    numbers = itertools.count()
    with in_environment(env):
        app = functions_framework.create_app(
            "delete_request", str(server.functions()["delete_request"])
        )
        client = app.test_client()

    def run(made: Telemetry) -> float:
        bodies = [{"target": target, "id": f"{what}-{next(numbers)}"} for _ in range(REQUESTS)]
        with in_environment(env), _told(made):
            begun = time.process_time()
            for body in bodies:
                assert client.post("/", json=body).status_code == 200
            return time.process_time() - begun

    ours, theirs, ratio = interleaved(lambda: run(telemetry), lambda: run(NOTHING), runs)
    detail = f"{ours / REQUESTS * 1000:.2f} ms and {theirs / REQUESTS * 1000:.2f} ms of CPU"
    return Ratio(f"a request {what}", "the same, not counted", ratio, aim, detail)


@contextmanager
def _told(made: Telemetry) -> Iterator[None]:
    """Count and trace with this, as the settings would have it made."""
    metrics.send_to(*(one for one in (made.prometheus, made.otel) if one is not None))
    traces.send_to(made.otel)
    try:
        with patch.object(setup, "of", lambda _env: made):
            yield
    finally:
        metrics.send_to()
        traces.send_to(None)

"""Functions in this process that count, on every emulated cloud, each test from nothing."""

from __future__ import annotations

import os
import sys

import functions_framework
import pytest

from sgguard.emulator.server import serve
from sgguard.telemetry import metrics, setup, traces
from sgguard.web import server
from sgguard.wire.connection import CLIENTS
from tests.deployment import emulator, environment


@pytest.fixture(autouse=True)
def nothing_counted_before():
    def clear() -> None:
        setup._made.cache_clear()
        metrics.send_to()
        traces.send_to(None)

    clear()
    yield
    clear()


@pytest.fixture(scope="package")
def clouds():
    with serve(emulator()) as running:
        yield running
        CLIENTS.clear()


@pytest.fixture
def deployed(clouds, monkeypatch, tmp_path):
    """Return what builds a function with settings; it gives a client for its requests."""

    def build(name: str = "delete_request", **settings: str):
        env = environment(clouds.url, SGGUARD_PACE="50", **settings)
        for one in [one for one in os.environ if one.startswith("SGGUARD_")]:
            monkeypatch.delenv(one)
        for variable, value in env.items():
            monkeypatch.setenv(variable, value)
        app = functions_framework.create_app(name, str(server.functions()[name]))
        return app.test_client()

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("FUNCTION_TARGET", "")
    return build

"""Every test runs without network beyond loopback and without credentials from outside."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import HealthCheck, settings

from tests.stores import kept, postgres_server

__all__ = ["kept", "postgres_server"]  # fixtures of every kind of store

# A property is about what is answered; how busy the machine is decides nothing. Every run tries
# the same examples, so that a failure is a change's own.
settings.register_profile(
    "sgguard", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sgguard")

_CREDENTIALS = ("TENCENTCLOUD_", "ALIBABA_CLOUD_", "HUAWEICLOUD_", "OS_", "SGGUARD_")
_real_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def no_credentials_from_outside(monkeypatch):
    for name in list(os.environ):
        if name.startswith(_CREDENTIALS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_state_from_another_test(monkeypatch, tmp_path):
    """The default store is a file at home, which would answer one test's event to the next."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture(autouse=True, scope="session")
def no_network_beyond_loopback():
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host not in ("127.0.0.1", "::1", "localhost"):
                raise AssertionError(f"a test tried to reach {host}")
        return _real_connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()

"""Every test runs without network beyond loopback and without credentials from outside."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sgguard.outbox.background import BACKGROUND
from sgguard.telemetry import logs, redaction
from tests.examples import QUICK, THOROUGH
from tests.sampling import mark_cases
from tests.stores import bare, kept, postgres_server

__all__ = ["bare", "kept", "postgres_server"]  # fixtures of every kind of store

# A property is about the result, whatever the machine's load. Every run tries the same examples,
# so that a failure is caused by a change. ``--hypothesis-profile thorough`` tries more of them.
for _name, _count in (("thorough", THOROUGH), ("quick", QUICK)):
    settings.register_profile(
        _name,
        deadline=None,
        derandomize=True,
        max_examples=_count,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("quick")

# Databases of tests need no disk: in memory none of them waits for one. Containers may have
# little shared memory, and the servers of a run take some of it.
_MEMORY = Path("/dev/shm")
_FREE_BYTES = shutil.disk_usage(_MEMORY).free if os.access(_MEMORY, os.W_OK) else 0
if _FREE_BYTES > 1 << 30:
    os.environ.setdefault("TMPDIR", str(_MEMORY))
    tempfile.tempdir = None

# Whoever starts the tests in the background may ignore Ctrl-C, and their processes inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_CREDENTIALS = ("TENCENTCLOUD_", "ALIBABA_CLOUD_", "HUAWEICLOUD_", "OS_", "SGGUARD_")
_LOG = (logs.LOGGER.level, logs.LOGGER.propagate, tuple(logs.LOGGER.handlers))
_ENDED = count(1)
_NUMBERS = count()
_real_connect = socket.socket.connect


@pytest.fixture(autouse=True, scope="session")
def nothing_in_the_background():
    """No thread outlives its test, or delivers into another one; tests of it switch it on."""
    BACKGROUND.is_on = False


@pytest.fixture(autouse=True, scope="session")
def no_credentials_from_outside():
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith(_CREDENTIALS):
            patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def no_size_of_a_terminal_from_outside():
    """A terminal, or whatever runs tests side by side, may set one; lists are cut to it."""
    patch = pytest.MonkeyPatch()
    for name in ("COLUMNS", "LINES"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def no_state_from_another_test(monkeypatch, tmp_path_factory):
    """The default store is a file at home, which would give one test the decision of another.

    The folder is named and not made: few tests need one, and thousands of folders take seconds.
    """
    # Secrets of another test would be taken out of the texts of this one.
    monkeypatch.setattr(redaction, "_spellings", {})
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_NUMBERS)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    # Functions in a test's own process are on loopback: without callers they would else not start.
    # What starts one as a platform does says otherwise, for the rest of its process.
    monkeypatch.setenv("HOST", "127.0.0.1")


@pytest.fixture(autouse=True, scope="session")
def functions_are_served_on_loopback():
    """The same for what fixtures of a module start."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HOST", "127.0.0.1")
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def log_as_imported():
    """A function configures the log of its process; the next test finds it as it was at first."""
    yield
    level, propagate, handlers = _LOG
    logs.LOGGER.setLevel(level)
    logs.LOGGER.propagate, logs.LOGGER.handlers = propagate, list(handlers)


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


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    mark_cases(items)


def pytest_collection_finish():
    # Thousands of collected tests live to the end: the garbage collector need not visit them.
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown():
    # Stores that nobody closed keep descriptors until they are found, and a process has a thousand.
    if next(_ENDED) % 500 == 0:
        gc.collect()

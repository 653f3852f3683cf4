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

from sgguard.engine import context
from sgguard.outbox.background import BACKGROUND
from sgguard.telemetry import logs, redaction
from tests.examples import QUICK, THOROUGH
from tests.parsed import uncollected
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
_ENVIRON = os.environ._data  # its bytes: a copy of the texts takes a hundred times as long
# What starts a function as a platform does says how it is called, for the rest of a process.
_OF_A_START = {b"HOST", b"FUNCTION_TARGET", b"FUNCTION_SIGNATURE_TYPE"}
_ENDED = count(1)
_NUMBERS = count()
_DESCRIPTORS, _MANY_DESCRIPTORS = Path("/dev/fd"), 400  # some tests open two hundred more
_real_connect = socket.socket.connect


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Keep everything outside from the tests: fixtures of a session would be asked by each test."""
    # No thread outlives its test, or delivers into another one; tests of it switch it on.
    BACKGROUND.is_on = False
    patch = pytest.MonkeyPatch()
    session.config.add_cleanup(patch.undo)
    # A terminal, or whatever runs tests side by side, may set a size; lists are cut to it.
    outside = ("COLUMNS", "LINES", *(name for name in os.environ if name.startswith(_CREDENTIALS)))
    for name in outside:
        patch.delenv(name, raising=False)
    # Functions in a test's own process are on loopback: without callers they would else not start.
    patch.setenv("HOST", "127.0.0.1")
    patch.setattr(socket.socket, "connect", _connect_on_loopback)


def _connect_on_loopback(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {host}")
    return _real_connect(self, address)


@pytest.fixture(scope="session")
def folder_of_states(tmp_path_factory):
    """Where the default stores of all tests are: few tests need one, and none is made here."""
    return tmp_path_factory.getbasetemp() / "state"


@pytest.fixture(autouse=True)
def no_state_from_another_test(folder_of_states):
    """What a process keeps is as at first: its environment, its secrets, its log.

    The default store is a file at home, which would give one test the decision of another. A
    variable that a test leaves set would change what the next one finds, whichever that is: the
    test that leaves one fails.
    """
    # Secrets of another test would be taken out of the texts of this one.
    redaction._spellings = {}
    outside = _ENVIRON.copy()
    os.environ["XDG_STATE_HOME"] = f"{folder_of_states}-{next(_NUMBERS)}"
    given = _ENVIRON.copy()
    yield
    # A function configures the log of its process.
    level, logs.LOGGER.propagate, handlers = _LOG
    logs.LOGGER.setLevel(level)
    logs.LOGGER.handlers = list(handlers)
    left = _changed(given) - _OF_A_START
    for name in _changed(outside):
        if name in outside:
            os.environb[name] = outside[name]
        else:
            del os.environb[name]
    assert not left, f"the test leaves variables set or changed: {left}"


def _changed(before):
    names = (before.keys() | _ENVIRON) - {b"PYTEST_CURRENT_TEST"}
    return {name for name in names if before.get(name) != _ENVIRON.get(name)}


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Read the tests without rounds of the garbage collector: almost nothing of it is garbage."""
    with uncollected():
        return (yield)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    mark_cases(items)


def pytest_collection_finish():
    # Thousands of collected tests live to the end: the garbage collector need not visit them.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)  # when the test has closed what it opened
def pytest_runtest_teardown():
    # Stores that nobody closed keep descriptors until they are found, and a process has a thousand.
    # What is kept of the tests that are over grows with each of them: it is visited once, and again
    # a few times in a run, for the stores among it that were in use when it was visited.
    ended = next(_ENDED)
    if ended % 500 == 0 or (ended % 8 == 0 and _are_many_open()):
        context._store.cache_clear()
        context._found.cache_clear()
        if ended % 4000 == 0:
            gc.unfreeze()
        gc.collect()
        if _are_many_open():
            gc.unfreeze()
            gc.collect()
        gc.freeze()


def _are_many_open():
    return sum(1 for _ in _DESCRIPTORS.iterdir()) > _MANY_DESCRIPTORS

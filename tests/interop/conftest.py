"""The vendors' own SDKs against the emulator as a server: needs the extra ``interop``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.interop)


def pytest_sessionfinish(session):
    """With INTEROP=required a run that skipped something, or ran nothing, has failed.

    A broker that cannot be installed is no fault of an SDK: its tests may be skipped.
    """
    if os.environ.get("INTEROP") != "required":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    passed = len(reporter.stats.get("passed", ()))
    skipped = sum(
        not one.nodeid.startswith("tests/broker/") for one in reporter.stats.get("skipped", ())
    )
    if skipped or not passed:
        reporter.write_line(f"INTEROP=required, but {passed} passed and {skipped} were skipped")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def emulator_server():
    """Call it with a scenario (or an Emulator): it answers on ``.url`` until the test ends."""
    with ExitStack() as stack:

        def start(scenario):
            is_ready = isinstance(scenario, Emulator)
            return stack.enter_context(serve(scenario if is_ready else Emulator.load(scenario)))

        yield start

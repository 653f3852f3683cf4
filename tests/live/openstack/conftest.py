"""Tests against a real Neutron: started once per run, and as before after each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.live.openstack.known import KNOWN, RACES, known
from tests.live.openstack.stack import is_installed, running

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)
            test = f"{item.path.name}::{item.name}"
            for table, is_strict in ((KNOWN, True), (RACES, False)):
                if reason := known(test, table):
                    item.add_marker(pytest.mark.xfail(strict=is_strict, reason=reason))


def pytest_sessionfinish(session):
    """With LIVE=required a run that skipped something, or ran nothing, has failed."""
    if os.environ.get("LIVE") != "required":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    passed, skipped = (len(reporter.stats.get(kind, ())) for kind in ("passed", "skipped"))
    if skipped or not passed:
        reporter.write_line(f"LIVE=required, but {passed} passed and {skipped} were skipped")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory):
    if not is_installed():
        pytest.skip("OpenStack is not installed: `make live` does that")
    with running(tmp_path_factory.mktemp("openstack")) as stack:
        yield stack


@pytest.fixture
def stack(running_stack):
    """The services; whatever a test makes in Neutron is gone after it."""
    with running_stack.as_before():
        yield running_stack

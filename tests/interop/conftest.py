"""The vendors' own SDKs against the emulator as a server: needs the extra ``interop``."""

from __future__ import annotations

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


@pytest.fixture
def emulator_server():
    """Call it with a scenario (or an Emulator): it answers on ``.url`` until the test ends."""
    with ExitStack() as stack:

        def start(scenario):
            is_ready = isinstance(scenario, Emulator)
            return stack.enter_context(serve(scenario if is_ready else Emulator.load(scenario)))

        yield start

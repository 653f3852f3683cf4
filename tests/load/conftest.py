"""The load comes first: it takes ten minutes, in which the other worker runs everything else."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda one: one.path.name != "test_load.py")

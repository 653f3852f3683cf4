"""A test with many costly cases: ``@pytest.mark.sampled(N)`` keeps each N-th in the quick suite.

The cases in between are ``slow``. Which ones stay depends on the test's name, so that tests with
one case per provider do not all keep the same provider, and it is the same in every run.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pytest


def mark_cases(items: Sequence[pytest.Item]) -> None:
    """Mark the cases that the quick suite leaves out ``slow``, test by test.

    Raises:
        pytest.UsageError: a test states no step of two or more.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") is not None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, of_one in cases.items():
        marker = of_one[0].get_closest_marker("sampled")
        step = marker.args[0] if marker is not None and marker.args else 0
        if not isinstance(step, int) or step < 2:
            raise pytest.UsageError(f"{name}: sampled() needs a step of 2 or more")
        kept = zlib.crc32(name.encode()) % min(step, len(of_one))
        for number, item in enumerate(of_one):
            if number % step != kept:
                item.add_marker(pytest.mark.slow)

"""The folder of the stores, and a summary of the crash points."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.crash.harness")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where possible: processes are killed here, not machines."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def pytest_terminal_summary(terminalreporter) -> None:
    from tests.crash.harness import CRASH_POINTS  # noqa: PLC0415 - its asserts are rewritten first

    if CRASH_POINTS:
        kinds = ", ".join(f"{point} {count}" for point, count in CRASH_POINTS.most_common(12))
        terminalreporter.write_line(f"{CRASH_POINTS.total()} crash points tried: {kinds}, ...")

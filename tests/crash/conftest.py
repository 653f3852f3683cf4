"""Where the stores of these tests are, and how often a worker was killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.crash.harness")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is not on a disk where that can be: what is killed here is the process."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def pytest_terminal_summary(terminalreporter) -> None:
    from tests.crash.harness import TRIED  # noqa: PLC0415 - its asserts are rewritten first

    if TRIED:
        kinds = ", ".join(f"{point} {count}" for point, count in TRIED.most_common(12))
        terminalreporter.write_line(f"{TRIED.total()} crash points tried: {kinds}, ...")

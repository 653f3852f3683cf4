"""A process that has decided thousands of times holds what it held after the first thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sgguard.store.pool import LIMIT
from sgguard.wire.workers import MAX_THREADS
from tests.bench.many import STEP

COUNT = 10_000
MEMORY_MB, GROWTH_MB = 60, 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc"
    ),
]


def test_ten_thousand_decisions_hold_no_more_than_the_first_thousand():
    command = [sys.executable, "-m", "tests.bench.many", "tencent-dfw", str(COUNT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    before, first, *later = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one["decisions"] for one in later] == list(range(2 * STEP, COUNT + 1, STEP))
    # The emulator's own state and the modules of its faces are in it.
    assert max(one["memory_mb"] for one in later) < before["memory_mb"] + MEMORY_MB
    assert max(one["memory_mb"] for one in later) < first["memory_mb"] + GROWTH_MB
    # Each connection of the store has a file and a journal open, and all share a third.
    assert max(one["descriptors"] for one in later) <= before["descriptors"] + 2 * LIMIT + 1
    assert later[-1]["descriptors"] <= later[len(later) // 2]["descriptors"] + 2
    assert max(one["threads"] for one in later) <= MAX_THREADS + 2

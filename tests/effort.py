"""What a call costs, to be compared with another call of the same run and never with seconds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import FrameType


def cpu_s(call: Callable[[], object], repeats: int = 3) -> float:
    """Return the CPU seconds of a call, the least of several: other processes do not count."""
    costs = []
    for _ in range(repeats):
        begun_s = time.process_time()
        call()
        costs.append(time.process_time() - begun_s)
    return max(min(costs), 1e-6)


def calls(call: Callable[[], object], name: str = "") -> int:
    """Return how many calls of Python functions a call makes, or of those with this name."""
    count = 0

    def note(frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call" and name in ("", frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


def megabyte_s() -> float:
    """Return the CPU seconds of reading a megabyte of small objects and looking at each once.

    It is work of the same kind as a check of every value: a slow machine slows both alike.
    """
    plain = "[" + "{}," * 349_000 + "{}]"
    return cpu_s(lambda: [(type(value), len(value)) for value in json.loads(plain)])

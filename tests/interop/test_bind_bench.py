"""What a bind is compared with: Tencent's own SDK in a loop, on the same emulator."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("tencentcloud.cvm.v20170312", reason="needs the extra interop")

from tests.bench.bind import LIMIT, clients, measure

SIZE = 60


def test_a_loop_of_the_sdk_is_throttled_and_a_bind_is_not():
    rows = measure(SIZE)
    assert [one.against for one in rows] == list(clients())
    assert rows[0].against == "the SDK in a loop"
    for row in rows:
        ours, theirs = (
            [int(one) for one in re.findall(r"(\d+) (?:calls|throttled)", part)]
            for part in row.detail.split(";")
        )
        assert ours == [1, 0]
        calls, throttled = theirs
        assert calls == SIZE + throttled
        assert throttled >= SIZE // LIMIT // 2

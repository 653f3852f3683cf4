import threading

import pytest

from sgguard.wire import parallel as module
from sgguard.wire.parallel import parallel


def test_results_come_in_the_order_of_the_calls():
    assert parallel([lambda n=n: n * n for n in range(20)]) == [n * n for n in range(20)]


def test_no_call_gives_no_result():
    assert parallel([]) == []


def test_calls_really_run_side_by_side():
    meeting = threading.Barrier(3, timeout=10)
    assert sorted(parallel([meeting.wait] * 3)) == [0, 1, 2]


def test_nested_calls_never_wait_for_each_other_however_full_the_pool_is():
    def leaf():
        return 1

    def branch(depth):
        return sum(parallel([lambda: branch(depth - 1)] * 3)) if depth else leaf()

    wide = module.MAX_THREADS * 2
    assert parallel([lambda: branch(3)] * wide) == [27] * wide


def test_the_first_failure_is_raised_after_every_call_has_ended():
    ended = []

    def good(n):
        ended.append(n)

    def bad(n):
        ended.append(n)
        raise ValueError(n)

    with pytest.raises(ValueError, match="1"):
        parallel([lambda: good(0), lambda: bad(1), lambda: bad(2), lambda: good(3)])
    assert sorted(ended) == [0, 1, 2, 3]

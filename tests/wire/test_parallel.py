import threading
import weakref

import pytest

from sgguard.wire.parallel import Begun, ask, parallel
from sgguard.wire.workers import MAX_THREADS, WORKERS, TakenBackError, Workers, later


def test_results_come_in_the_order_of_the_calls():
    assert parallel([lambda n=n: n * n for n in range(20)]) == [n * n for n in range(20)]


def test_no_call_gives_no_result():
    assert parallel([]) == []


def test_calls_really_run_side_by_side():
    meeting = threading.Barrier(3, timeout=60)
    assert sorted(parallel([meeting.wait] * 3)) == [0, 1, 2]


def test_nested_calls_never_wait_for_each_other_however_full_the_pool_is():
    def leaf():
        return 1

    def branch(depth):
        return sum(parallel([lambda: branch(depth - 1)] * 3)) if depth else leaf()

    wide = MAX_THREADS * 2
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


def test_what_nobody_has_begun_when_the_caller_is_interrupted_is_never_begun():
    ended = []

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask([interrupted, lambda: ended.append(1), lambda: ended.append(2)])
    assert parallel([lambda: 1, lambda: 2]) == [1, 2]
    assert ended == []


def test_an_exception_that_a_call_returns_is_a_result():
    found = parallel([lambda: ValueError("a"), lambda: ValueError("b")])
    assert [str(one) for one in found] == ["a", "b"]


# -- calls that only ask clouds ------------------------------------------------------------------


def test_calls_that_ask_clouds_run_side_by_side_once_they_wait():
    meeting = threading.Barrier(5, timeout=60)

    def waiting():
        WORKERS.begin_next()
        return meeting.wait()

    assert sorted(ask([waiting] * 5)) == [0, 1, 2, 3, 4]


def test_calls_that_ask_clouds_and_never_wait_run_on_the_calling_thread_in_order():
    seen = []
    ask([lambda n=n: seen.append((n, threading.get_ident())) for n in range(5)])
    assert seen == [(n, threading.get_ident()) for n in range(5)]


def test_what_such_calls_run_side_by_side_themselves_begins_in_the_same_way():
    meeting = threading.Barrier(6, timeout=60)

    def waiting():
        WORKERS.begin_next()
        return meeting.wait()

    found = ask([lambda: parallel([waiting] * 3)] * 2)
    assert sorted(one for part in found for one in part) == [0, 1, 2, 3, 4, 5]


# -- the threads ---------------------------------------------------------------------------------


def test_a_call_is_run_once_whoever_is_faster():
    workers = Workers(most=1)
    ran = []
    with later():
        call = workers.submit(ran.append, 1)
    assert call.cancel()
    assert call.cancelled()
    assert call.done()
    call.run()
    assert ran == []
    other = workers.submit(lambda: ran.append(2))
    other.result()
    assert other.done()
    assert not other.cancel()
    assert ran == [2]
    with pytest.raises(TakenBackError):
        call.result()
    workers.shutdown()


def test_no_more_threads_are_started_than_may_be_and_all_calls_are_run():
    workers = Workers(most=2)
    idents = set()
    calls = [workers.submit(lambda: idents.add(threading.get_ident())) for _ in range(50)]
    for one in calls:
        one.result()
    assert 1 <= len(idents) <= 2
    workers.shutdown()


def test_an_idle_thread_holds_nothing_of_the_call_that_it_ran():
    class Answer:
        pass

    workers = Workers(most=1)
    call = workers.submit(Answer)
    found = weakref.ref(call.result())
    workers.submit(int).result()  # the thread has let go of the first call by now
    del call
    assert found() is None
    workers.shutdown()


def test_a_call_that_was_taken_back_is_forgotten_with_the_next_one():
    class Question:
        def __call__(self):
            return None

    workers = Workers(most=1)
    question = Question()
    asked = weakref.ref(question)
    with later():
        assert workers.submit(question).cancel()
        del question
        workers.submit(int)
    assert asked() is None


def test_after_a_shutdown_the_threads_are_gone_and_a_new_call_starts_new_ones():
    workers = Workers(most=2)
    before = threading.active_count()
    workers.submit(int).result()
    workers.shutdown()
    assert threading.active_count() == before
    assert workers.submit(int).result() == 0
    workers.shutdown()


def test_a_system_that_gives_no_more_threads_leaves_the_calls_to_those_who_wait():
    class Exhausted(Workers):
        def start(self, thread):
            raise RuntimeError("can't start new thread")

    workers = Exhausted(most=2)
    call = workers.submit(int)
    assert call.cancel()


def test_a_call_that_its_caller_ran_has_no_second_result():
    with later():
        begun = Begun(lambda: 7)
    assert begun.result() == 7
    assert begun.is_over()
    with pytest.raises(TakenBackError):
        begun.result()


def test_a_call_that_was_begun_is_waited_for_or_run_by_its_caller():
    assert Begun(lambda: 7).result() == 7
    with pytest.raises(ValueError, match="no"):
        Begun(lambda: int("no")).result()

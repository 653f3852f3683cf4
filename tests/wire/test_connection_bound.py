"""Idle connections are bounded over all hosts; one that is in use is never closed."""

from __future__ import annotations

import threading

import pytest

from sgguard.wire import connection
from sgguard.wire.connection import ClientPool


class FakeClient:
    """What the pool needs of a client: opening 900 real ones takes seconds."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def now_s(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(connection.time, "monotonic", lambda: now[0])
    return now


def call(pool, host):
    client = pool.acquire(host, FakeClient)
    pool.release(host, client)
    return client


def idle(pool):
    return [client for stack in pool._idle.values() for _, client in stack]


def test_a_thousand_hosts_leave_only_the_last_ones_open(now_s):
    pool = ClientPool(idle_max=10)
    clients = []
    for host in range(1000):
        now_s[0] += 0.001
        clients.append(call(pool, host))
    assert [one.is_closed for one in clients] == [True] * 990 + [False] * 10
    assert idle(pool) == clients[-10:]
    assert len(pool._idle) == 10


def test_the_process_keeps_no_more_than_its_bound(now_s):
    for host in range(connection.IDLE_MAX * 3):
        call(connection.CLIENTS, ("https", f"h{host}", None))
    assert len(idle(connection.CLIENTS)) == connection.IDLE_MAX
    connection.CLIENTS.clear()


def test_a_host_in_use_stays_and_the_least_recently_used_one_goes(now_s):
    pool = ClientPool(idle_max=2)
    first = call(pool, "a")
    now_s[0] = 1
    second = call(pool, "b")
    now_s[0] = 2
    assert call(pool, "a") is first
    now_s[0] = 3
    third = call(pool, "c")
    assert [one.is_closed for one in (first, second, third)] == [False, True, False]


def test_many_clients_of_one_host_are_bounded_like_many_hosts(now_s):
    pool = ClientPool(idle_max=4)
    many = [pool.acquire("a", FakeClient) for _ in range(9)]
    for now_s[0], client in enumerate(many):
        pool.release("a", client)
    assert [one.is_closed for one in many] == [True] * 5 + [False] * 4
    assert pool.acquire("a", FakeClient) is many[-1]


def test_a_borrowed_client_is_not_closed_while_other_hosts_push_it_out(now_s):
    pool = ClientPool(idle_max=1)
    mine = pool.acquire("a", FakeClient)
    for host in range(5):
        call(pool, host)
    assert not mine.is_closed
    pool.release("a", mine)
    assert not pool.acquire("a", FakeClient).is_closed


def test_an_idle_client_of_a_host_that_is_not_called_again_is_closed_by_others(now_s):
    pool = ClientPool()
    old = call(pool, "old")
    now_s[0] = connection.KEPT_S + 1
    new = call(pool, "new")
    assert (old.is_closed, new.is_closed) == (True, False)
    assert list(pool._idle) == ["new"]


def test_threads_that_share_the_pool_never_get_a_closed_client():
    pool = ClientPool(idle_max=3)
    seen = []

    def work(number):
        for turn in range(200):
            host = (number + turn) % 7
            client = pool.acquire(host, FakeClient)
            seen.append(client.is_closed)
            pool.release(host, client)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(seen)
    assert len(idle(pool)) <= 3

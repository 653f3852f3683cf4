"""The cache of tokens stays small, whatever becomes of the identities that ask for one."""

from __future__ import annotations

import gc
import weakref

import httpx
import pytest

from sgguard.errors import UnauthenticatedError
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.openstack.keystone import Identity
from sgguard.wire.openstack.keystone_auth import KeystoneAuth, TokenCache
from sgguard.wire.retry import Retry

MANY = 1000


def identity(number):
    return Identity(f"https://keystone-{number}.test/v3", "token", "secret")


class Counted(TokenCache):
    """Knows which of the locks that it gave away are still there."""

    def __init__(self):
        super().__init__()
        self.given = weakref.WeakSet()

    def lock(self, key):
        lock = super().lock(key)
        self.given.add(lock)
        return lock


@pytest.mark.slow
def test_refused_identities_leave_no_locks_behind():
    cache = Counted()
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json={"error": {"code": 401}}))
    wire = Wire(
        "openstack", Deadline.after(60), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    for number in range(MANY):
        with pytest.raises(UnauthenticatedError):
            KeystoneAuth(identity(number), wire, lambda: 0.0, cache).token()
    gc.collect()
    assert len(cache.given) < MANY / 3


def test_a_refusal_that_is_kept_holds_nothing_of_its_call():
    """Its frames have the refusal before it, and so all of them would stay."""
    cache = TokenCache()
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json={"error": {"code": 401}}))
    wire = Wire(
        "openstack", Deadline.after(60), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    with pytest.raises(UnauthenticatedError) as caught:
        KeystoneAuth(identity(0), wire, lambda: 0.0, cache).token()
    (kept,) = cache._refusals.values()
    assert str(kept) == str(caught.value)
    assert (kept.__traceback__, kept.__context__, kept.__cause__) == (None, None, None)


def test_a_lock_that_is_held_is_the_same_for_everybody_who_waits():
    cache = TokenCache()
    first = cache.lock((None, identity(0)))
    with first:
        for number in range(1, MANY):
            cache.lock((None, identity(number)))
        assert cache.lock((None, identity(0))) is first


def test_held_locks_are_never_dropped_however_many():
    cache, held = TokenCache(), []
    for number in range(MANY):
        lock = cache.lock((None, identity(number)))
        assert lock.acquire(blocking=False)
        held.append(lock)
    for number, lock in enumerate(held):
        assert cache.lock((None, identity(number))) is lock

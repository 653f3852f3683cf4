"""A worker that dies between any two calls: the next delivery, or a resume, finishes its work."""

from __future__ import annotations

import threading

import httpx
import pytest
from msgspec.structs import force_setattr, replace

from sgguard.clouds import names
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import bind
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.operations import resume as resuming
from sgguard.store import open_store
from tests.bind.harness import Fleet, by_status, ids, rows
from tests.bind.test_every_provider import carriers
from tests.remedy.harness import Harness
from tests.stores import Clock
from tests.worlds import world_of

SIZE = 24
BAD = ids(SIZE)[5]
_WRITES = ("begin_run", "intend", "settle", "end", "claim", "lock", "release", "notify")


class Died(BaseException):
    """The process is gone: nothing of it runs on."""


class Dying(httpx.BaseTransport):
    """Dies before or after the call of that number; counts store writes as calls, too."""

    def __init__(self, emulator, store, at: int, *, is_after: bool, on: str = "") -> None:
        self.inner, self.store = EmulatorTransport(emulator), store
        self.left, self.is_after, self.on = at, is_after, on
        self.guard = threading.Lock()

    def handle_request(self, request):
        if request.headers.get("X-TC-Action", "") == self.on != "":
            self.left = 1
        return self.counted(lambda: self.inner.handle_request(request))

    def counted(self, call):
        with self.guard:
            self.left -= 1
            is_last = self.left == 0
        if is_last and not self.is_after:
            raise Died
        done = call()
        if is_last:
            raise Died
        return done

    def __getattr__(self, name):
        found = getattr(self.store, name)
        if name not in _WRITES:
            return found
        return lambda *args, **more: self.counted(lambda: found(*args, **more))


def died(fleet: Fleet, at: int, *, is_after: bool, on: str = "") -> bool:
    """Deliver the event to a worker that dies; False where it came to its end before."""
    dying = Dying(fleet.emulator, fleet.store, at, is_after=is_after, on=on)
    context = fleet.context(transport=dying)
    store, fleet.store = fleet.store, dying
    try:
        force_setattr(context, "store", dying)
        fleet.bind(ids(SIZE), context=context)
    except Died:
        return True
    finally:
        fleet.store = store
    return False


def fleet_of(folder) -> Fleet:
    folder.mkdir(exist_ok=True)
    fleet = Fleet(folder, SIZE)
    told = {BAD: "UnsupportedOperation.InstanceStateIsolating"}
    fleet.cloud.quirks |= {"binding_refused_with": told, "binding_s": 2, "names_nobody": True}
    return fleet


def require_whole(fleet: Fleet, done) -> None:
    good = set(ids(SIZE)) - {BAD}
    assert fleet.holders_of() == good
    assert by_status(done, "refused") == {BAD}
    assert by_status(done, "done") | by_status(done, "nothing") == good
    assert done["bind"]["counts"]["open"] == 0
    assert all(fleet.carried(one) == ["sg-deflt000", "sg-unused00"] for one in good)


@pytest.mark.slow
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_death_between_any_two_calls_is_finished_by_the_next_delivery(tmp_path, is_after):
    at = 1
    while died(fleet := fleet_of(tmp_path / f"{at}"), at, is_after=is_after):
        fleet.restart()
        require_whole(fleet, fleet.bind(ids(SIZE)))
        at += 1
    assert at > 20


def test_a_death_after_a_call_was_sent_is_finished_by_resume(tmp_path):
    fleet = fleet_of(tmp_path)
    assert died(fleet, 0, is_after=True, on="AssociateSecurityGroups")
    fleet.restart()
    (left,) = resuming.unresolved(fleet.context())
    require_whole(fleet, resuming.resume(left.decision_id, fleet.context()))
    assert rows(fleet.bind(ids(SIZE)))[BAD]["status"] == "refused"  # the event's answer is kept


def test_a_deadline_leaves_the_rest_to_the_next_delivery(tmp_path):
    fleet = fleet_of(tmp_path)
    found = fleet.bind(ids(SIZE), context=fleet.context(deadline_s=3.5))
    assert (found["outcome"], found["bind"]["counts"]["done"]) == ("unfinished", 0)
    (left,) = resuming.unresolved(fleet.context())
    assert left.state == "open"
    require_whole(fleet, fleet.bind(ids(SIZE)))


@pytest.mark.slow
@pytest.mark.parametrize("provider", names())
def test_a_death_on_any_cloud_is_finished_by_the_next_delivery(provider, tmp_path):
    number = at = 1
    while True:
        folder = tmp_path / f"{at}"
        folder.mkdir()
        cloud, clock = Harness(world_of(provider), folder), Clock()
        store = open_store(f"sqlite:///{folder / 'own.db'}", clock)
        dying = Dying(cloud.emulator, store, at, is_after=bool(number % 2))
        number, at = number + 1, at + 2
        context = replace(cloud.context(), transport=dying, store=dying)
        try:
            delivered(cloud, context)
        except Died:
            clock.now_s += 100_000
        else:
            break
        done = delivered(cloud, replace(cloud.context(), store=store))
        servers = {cloud.world.server, cloud.world.other_server}
        assert carriers(cloud, cloud.world.free) == servers
        assert by_status(done, "done") | by_status(done, "nothing") == servers
    assert number > 5


def delivered(cloud: Harness, context):
    world = cloud.world
    context.store.paces().tick = context.lanes.clock
    holders = (world.server, world.other_server)
    request = BindRequest(cloud.scope, world.free, holders=holders)
    (done,) = bind.binds([(request, Event("b-1", {}, "/portal"))], context)
    if isinstance(done, Exception):
        raise done
    return done

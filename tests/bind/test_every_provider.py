"""Every provider binds and unbinds many holders, and says of each what became of it."""

from __future__ import annotations

import pytest

from sgguard import providers, schemas
from sgguard.clouds import names
from sgguard.engine import bind
from sgguard.model.address import Scope
from sgguard.model.event import Event
from sgguard.model.request import BindRequest, HolderFilter
from tests.bind.harness import by_status, rows
from tests.remedy.harness import Harness
from tests.worlds import world_of


@pytest.fixture(params=names())
def cloud(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


def deliver(cloud: Harness, holders, event_id="b-1", group_id="", **more):
    request = BindRequest(cloud.scope, group_id or cloud.world.free, holders=tuple(holders), **more)
    data = {"holders": list(holders), "more": repr(more), "group": group_id}
    context = cloud.context()
    context.store.paces().tick = context.lanes.clock
    (done,) = bind.binds([(request, Event(event_id, data, "/portal"))], context)
    if isinstance(done, Exception):
        raise done
    assert schemas.problems("decision", done) == ()
    return done


def carriers(cloud: Harness, group_id: str) -> set[str]:
    (state,) = cloud.emulator.state.clouds
    return {one.instance for one in state.interfaces_with(group_id)}


@pytest.mark.sampled(8)
def test_a_group_is_put_on_holders_and_taken_off_again(cloud):
    world = cloud.world
    servers = [world.server, world.other_server]
    before = cloud.comparable_state()
    done = deliver(cloud, [*servers, world.missing_server, "?", world.server])
    assert {one: row["status"] for one, row in rows(done).items()} == {
        world.server: "done",
        world.other_server: "done",
        world.missing_server: "refused",
        "?": "refused",
    }
    assert rows(done)[world.missing_server]["code"] in ("holder-not-found", "holder-malformed")
    assert carriers(cloud, world.free) == set(servers)
    again = deliver(cloud, servers, "b-2")
    assert {row["code"] for row in rows(again).values()} == {"reached"}
    back = deliver(cloud, servers, "b-3", action="unbind")
    assert by_status(back, "done") == set(servers)
    assert cloud.comparable_state() == before


@pytest.mark.sampled(3)
def test_what_another_holder_of_a_group_carries_is_found_by_that_group(cloud):
    world = cloud.world
    done = deliver(cloud, [], wanted=HolderFilter(group=world.bound))
    assert done["outcome"] == "remediated", done["reasons"]
    assert world.server in carriers(cloud, world.free)


@pytest.mark.sampled(6)
def test_an_unknown_group_is_never_sent(cloud):
    done = deliver(cloud, [cloud.world.server], group_id=cloud.world.missing)
    assert (done["verdict"], done["outcome"]) == ("block", "unchanged")


def test_how_many_holders_go_into_a_call(cloud):
    many = providers.bulk(cloud.world.connect(cloud.emulator))
    largest = {"tencent": 100, "tencent-dfw": 20}
    assert many.largest == largest.get(cloud.world.provider, 16)


@pytest.mark.parametrize("provider", names())
def test_a_scope_is_that_of_its_group(provider):
    request = BindRequest(Scope(provider, "", "r"), "g")
    assert str(request.address) == f"{provider}::r:g"

"""The groups of instances and interfaces on Alibaba Cloud: read and changed."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    LimitError,
    NotFoundError,
    SettingsError,
    UnavailableError,
    UnreachableError,
)
from sgguard.model.change import Holder, holder_of
from sgguard.providers.access import Access
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes, Pace
from sgguard.wire.retry import Retry
from tests.worlds.alibaba import ADVANCED, ENV, WORLD, actions, switch

WEB, APP, JOB = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out
BOUND, FREE = WORLD.bound, WORLD.free
SERVER = Holder("instance", WORLD.server, WORLD.server)
STARTING = Holder("instance", "i-bp1server0000000003", "i-bp1server0000000003")
SECOND = Holder("interface", "eni-bp1second000000002", WORLD.other_server)
PRIMARY = Holder("interface", "eni-bp1primary00000001", WORLD.server)
SERVICE = Holder("interface", "eni-bp1managed00000009")
EPOCH = 1_700_000_000.0


class Clock:
    """Time that only passes while somebody waits."""

    def __init__(self):
        self.s = 0.0
        self.waits = []

    def __call__(self):
        return self.s

    def epoch(self):
        return EPOCH + self.s

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.s += seconds


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


@pytest.fixture
def provider(emulator):
    return WORLD.connect(emulator)


def timed(clock, *, deadline_s=10.0, **quirks):
    """An emulator and a provider that live on one clock."""
    emulator = WORLD.emulator(now=clock.epoch, sleep=clock.sleep)
    switch(emulator, **quirks)
    wire = Wire(
        "alibaba",
        Deadline(deadline_s, clock),
        transport=EmulatorTransport(emulator),
        retry=Retry(attempts=3, sleep=clock.sleep, jitter=lambda: 0.0),
        pace=Pace(lanes=Lanes(clock, clock.sleep)),
    )
    access = Access(wire, WORLD.region, env=ENV, now=clock.epoch)
    return emulator, providers.connect("alibaba", access)


def carried(emulator, holder):
    cloud = emulator.state.clouds[0]
    if holder.kind == "instance":
        return cloud.interfaces_of(holder.holder_id)[0].groups
    return cloud.interface(holder.holder_id).groups


def writes(emulator):
    return [one for one in actions(emulator) if not one.startswith("Describe")]


def test_the_groups_of_every_kind_of_holder_are_read(provider):
    assert provider.read_holder(SERVER) == (BOUND, APP)
    assert provider.read_holder(PRIMARY) == (BOUND, APP)
    assert provider.read_holder(SECOND) == (BOUND,)
    assert provider.read_holder(SERVICE) == (APP,)


@pytest.mark.parametrize("kind", ["instance", "interface"])
def test_a_holder_that_does_not_exist_is_none(provider, kind):
    holder = Holder(kind, "i-bp1nobody")
    assert provider.read_holder(holder) is None
    with pytest.raises(NotFoundError):
        provider.set_groups(holder, (APP,), (FREE,), token="")


def test_every_binding_names_a_holder(provider):
    for binding in provider.list_bindings([BOUND, APP]).value[BOUND]:
        holder = holder_of(binding)
        assert set(provider.read_holder(holder)) == {BOUND, *binding.other_group_ids}


def test_nothing_else_holds_groups_here(provider):
    with pytest.raises(SettingsError):
        provider.read_holder(Holder("load-balancer", "lb-1"))


@pytest.mark.parametrize(
    ("holder", "after", "call"),
    [
        (SERVER, (BOUND, APP, FREE), "JoinSecurityGroup"),
        (SERVER, (FREE, BOUND, APP), "JoinSecurityGroup"),
        (SERVER, (APP,), "LeaveSecurityGroup"),
        (SERVER, (FREE, APP), "ModifyInstanceAttribute"),
        (SERVER, (FREE,), "ModifyInstanceAttribute"),
        (SERVER, (BOUND, APP, FREE, JOB), "ModifyInstanceAttribute"),
        (SERVER, (ADVANCED,), "ModifyInstanceAttribute"),
        (PRIMARY, (FREE, APP), "ModifyInstanceAttribute"),
        (PRIMARY, (APP,), "LeaveSecurityGroup"),
        (SECOND, (BOUND, FREE), "JoinSecurityGroup"),
        (SECOND, (FREE,), "ModifyNetworkInterfaceAttribute"),
        (SECOND, (ADVANCED,), "ModifyNetworkInterfaceAttribute"),
    ],
)
@pytest.mark.sampled(4)
def test_the_call_that_touches_least_is_sent_once(emulator, provider, holder, after, call):
    before = provider.read_holder(holder)
    emulator.requests.clear()
    provider.set_groups(holder, before, after, token="t")
    assert writes(emulator) == [call]
    assert set(carried(emulator, holder)) == set(after)


@pytest.mark.parametrize("holder", [SERVER, SECOND], ids=["instance", "interface"])
def test_a_change_of_groups_is_undone(emulator, provider, holder):
    before = provider.read_holder(holder)
    for after in ((FREE,), (*before, FREE), before):
        provider.set_groups(holder, provider.read_holder(holder), after, token="")
    assert sorted(carried(emulator, holder)) == sorted(before)


def test_the_order_of_groups_has_no_meaning(emulator, provider):
    provider.set_groups(SERVER, (APP, BOUND), (BOUND, APP), token="")
    assert writes(emulator) == []


class ConcurrentEdit(httpx.BaseTransport):
    """Somebody else does something just before a certain call arrives."""

    def __init__(self, emulator, action, edit):
        self.inner, self.action, self.edit = EmulatorTransport(emulator), action, edit

    def handle_request(self, request):
        if request.headers["x-acs-action"] == self.action:
            self.edit()
        return self.inner.handle_request(request)


def edited(provider, emulator, action, edit):
    wire = replace(provider.ecs.wire, transport=ConcurrentEdit(emulator, action, edit))
    return replace(provider, ecs=replace(provider.ecs, wire=wire))


@pytest.mark.parametrize(
    ("after", "action", "left"),
    [
        ((BOUND, APP, FREE), "JoinSecurityGroup", [BOUND, APP, JOB, FREE]),
        ((APP,), "LeaveSecurityGroup", [APP, JOB]),
    ],
)
def test_one_group_more_or_less_leaves_alone_what_is_bound_meanwhile(
    emulator, provider, after, action, left
):
    """A whole list would throw out what somebody bound between the read and the write."""
    groups = carried(emulator, SERVER)
    edited(provider, emulator, action, lambda: groups.append(JOB)).set_groups(
        SERVER, (BOUND, APP), after, token=""
    )
    assert carried(emulator, SERVER) == left


@pytest.mark.parametrize(
    ("holder", "code"),
    [
        (SERVER, "InstanceLastSecurityGroup"),
        (SECOND, "InvalidOperation.AtLeastInOneGroup"),
    ],
)
def test_the_last_group_is_not_left_however_it_came_to_be_the_last(
    emulator, provider, holder, code
):
    groups = carried(emulator, holder)
    groups[:] = [BOUND, APP]
    racing = edited(provider, emulator, "LeaveSecurityGroup", lambda: groups.remove(APP))
    with pytest.raises(ConflictError) as caught:
        racing.set_groups(holder, (BOUND, APP), (APP,), token="")
    assert caught.value.code == code
    assert groups == [BOUND]


@pytest.mark.parametrize("before", [(BOUND,), (BOUND, APP, FREE), (FREE,), ()])
def test_a_holder_that_carries_something_else_is_a_conflict(emulator, provider, before):
    with pytest.raises(ConflictError, match=f"carries {BOUND}, {APP}"):
        provider.set_groups(SERVER, before, (WEB,), token="")
    assert writes(emulator) == []
    assert carried(emulator, SERVER) == [BOUND, APP]


def test_nothing_is_left_without_a_group(emulator, provider):
    with pytest.raises(ConflictError, match="without a group"):
        provider.set_groups(SECOND, (BOUND,), (), token="")
    assert writes(emulator) == []


@pytest.mark.parametrize("after", [(BOUND, APP, ADVANCED), (ADVANCED, APP)])
def test_basic_and_advanced_groups_are_not_mixed(emulator, provider, after):
    with pytest.raises(CloudError, match=r"different types|multi SecurityGroup types") as caught:
        provider.set_groups(SERVER, (BOUND, APP), after, token="")
    assert caught.value.is_outcome_known
    assert carried(emulator, SERVER) == [BOUND, APP]


@pytest.mark.parametrize("after", [(BOUND, APP, FREE), (APP, FREE, WEB)])
@pytest.mark.parametrize("limit", [("groups-per-interface", 2), ("instances-per-group", 0)])
def test_a_group_over_a_limit_is_refused(emulator, provider, after, limit):
    emulator.state.clouds[0].limits.update([limit])
    with pytest.raises(LimitError):
        provider.set_groups(SERVER, (BOUND, APP), after, token="")
    assert carried(emulator, SERVER) == [BOUND, APP]


@pytest.mark.parametrize("after", [(JOB, FREE), (FREE,)])
def test_an_instance_that_starts_is_not_changed(emulator, provider, after):
    with pytest.raises(ConflictError) as caught:
        provider.set_groups(STARTING, (JOB,), after, token="")
    assert caught.value.code == "IncorrectInstanceStatus"
    assert carried(emulator, STARTING) == [JOB]


def test_an_interface_of_a_cloud_product_is_not_changed(emulator, provider):
    with pytest.raises(CloudError) as caught:
        provider.set_groups(SERVICE, (APP,), (FREE,), token="")
    assert caught.value.code == "InvalidOperation.EniServiceManaged"
    assert carried(emulator, SERVICE) == [APP]


def test_a_missing_group_is_not_bound(provider):
    with pytest.raises(NotFoundError):
        provider.set_groups(SERVER, (BOUND, APP), (APP, WORLD.missing), token="")


# -- waiting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("holder", [SERVER, SECOND], ids=["instance", "interface"])
@pytest.mark.parametrize("kept", [True, False], ids=["joined", "replaced"])
def test_a_change_that_shows_later_is_waited_for(holder, kept):
    clock = Clock()
    emulator, provider = timed(clock, binding_delay_s=1.0)
    before = provider.read_holder(holder)
    after = (*before, FREE) if kept else (FREE,)
    provider.set_groups(holder, before, after, token="")
    assert clock.s >= 1.0
    assert set(provider.read_holder(holder)) == set(after)
    assert len(writes(emulator)) == 1


def test_the_waits_grow_and_end_soon_after_it_shows():
    clock = Clock()
    _, provider = timed(clock, binding_delay_s=2.0)
    provider.set_groups(SERVER, (BOUND, APP), (APP,), token="")
    assert clock.waits == sorted(clock.waits)
    assert len(clock.waits) <= 6
    assert clock.s < 4.0


def test_a_change_that_does_not_show_in_time_may_have_been_made():
    clock = Clock()
    emulator, provider = timed(clock, deadline_s=5.0, binding_delay_s=60)
    with pytest.raises(DeadlineError) as caught:
        provider.set_groups(SERVER, (BOUND, APP), (APP,), token="")
    assert not caught.value.is_outcome_known
    assert clock.s <= 5.0
    assert carried(emulator, SERVER) == [APP]


def test_a_change_that_shows_at_once_is_not_waited_for():
    clock = Clock()
    _, provider = timed(clock)
    provider.set_groups(SERVER, (BOUND, APP), (APP,), token="")
    assert clock.waits == []


def test_a_lost_answer_leaves_the_outcome_open(emulator, provider):
    emulator.faults.append(Fault("drop", action="Modify*", is_after=True))
    with pytest.raises(UnreachableError) as caught:
        provider.set_groups(SERVER, (BOUND, APP), (FREE,), token="")
    assert not caught.value.is_outcome_known
    assert provider.read_holder(SERVER) == (FREE,)


@pytest.mark.parametrize("code", ["Forbidden.RAM", "Throttling.User"])
def test_a_change_that_cannot_be_read_back_may_have_been_made(emulator, provider, code):
    emulator.faults.append(Fault("error", action="Describe*", skip=1, code=code, count=99))
    with pytest.raises(UnavailableError) as caught:
        provider.set_groups(SERVER, (BOUND, APP), (FREE,), token="")
    assert not caught.value.is_outcome_known
    assert caught.value.code == code
    assert carried(emulator, SERVER) == [FREE]


def test_a_holder_that_vanishes_while_it_is_waited_for_is_told():
    clock = Clock()
    emulator, provider = timed(clock, binding_delay_s=60)
    cloud = emulator.state.clouds[0]
    wait = clock.sleep

    def vanish(seconds):
        wait(seconds)
        cloud.instances[:] = [one for one in cloud.instances if one.id != WORLD.server]

    ecs = replace(
        provider.ecs,
        wire=replace(provider.ecs.wire, retry=replace(provider.ecs.wire.retry, sleep=vanish)),
    )
    with pytest.raises(UnavailableError, match="no instance"):
        replace(provider, ecs=ecs).set_groups(SERVER, (BOUND, APP), (APP,), token="")
    assert clock.s < 5.0


def test_a_move_frees_the_group_for_its_delete(provider):
    for binding in provider.list_bindings([BOUND]).value[BOUND]:
        holder = holder_of(binding)
        before = provider.read_holder(holder)
        after = tuple(one for one in (*before, FREE) if one != BOUND)
        provider.set_groups(holder, before, after, token="")
    provider.delete_group(BOUND)
    assert provider.read_groups([BOUND]).value == {BOUND: None}


def sent_groups(emulator, action, name):
    request = next(one for one in emulator.requests if one.action == action)
    params = dict(parse_qsl(request.query))
    return [params[f"{name}.{n}"] for n in range(1, 4) if f"{name}.{n}" in params]


def test_a_list_is_sent_whole_and_once_each(emulator, provider):
    provider.set_groups(SERVER, (BOUND, APP), (WEB, FREE, WEB), token="")
    assert sent_groups(emulator, "ModifyInstanceAttribute", "SecurityGroupIds") == [WEB, FREE]

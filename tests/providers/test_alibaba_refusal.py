"""Holders whose groups cannot be changed now: told before a plan is made, with the reason."""

from __future__ import annotations

import pytest

from sgguard.errors import CloudError
from sgguard.model.change import Holder
from sgguard.render.language.sentence import whole_english
from tests.worlds.alibaba import WORLD, add_interfaces, switch

BOUND, APP, FREE = WORLD.bound, WORLD.referrer_in, WORLD.free
SECOND, SERVICE = "eni-bp1second000000002", "eni-bp1managed00000009"


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


def refusals(emulator, group_id=BOUND):
    found = WORLD.connect(emulator).list_bindings([group_id]).value[group_id]
    return {one.holder_id: whole_english(one.change_refusal) for one in found}


def test_a_holder_that_can_be_changed_says_nothing(emulator):
    assert refusals(emulator) == {WORLD.server: "", SECOND: ""}


@pytest.mark.parametrize("state", ["Pending", "Starting", "Stopping", "SomethingNew"])
def test_an_instance_in_between_is_not_changed(emulator, cloud, state):
    cloud.instance(WORLD.server).state = state
    assert refusals(emulator)[WORLD.server].startswith("IncorrectInstanceStatus: ")


@pytest.mark.parametrize("state", ["Running", "Stopped"])
def test_an_instance_at_rest_is_changed(emulator, cloud, state):
    cloud.instance(WORLD.server).state = state
    assert refusals(emulator)[WORLD.server] == ""


@pytest.mark.parametrize("reasons", [["security"], ["financial"], ["financial", "security"]])
@pytest.mark.parametrize("shape", ["json", "xml"])
def test_a_locked_instance_is_neither_changed_nor_bound(emulator, reasons, shape):
    switch(emulator, locks={WORLD.server: reasons}, format=shape)
    told = refusals(emulator)[WORLD.server]
    assert told.startswith("InstanceLockedForSecurity: ")
    assert reasons[0] in told
    instance = WORLD.connect(emulator).read_instance(WORLD.server).value
    assert whole_english(instance.binding_refusal) == told


@pytest.mark.parametrize("state", ["Attaching", "Detaching", "Creating", "Deleting"])
def test_an_interface_on_its_way_is_not_changed(emulator, state):
    switch(emulator, interface_states={SECOND: state})
    assert (
        refusals(emulator)[SECOND] == f"InvalidOperation.InvalidEniState: the interface is {state}"
    )


@pytest.mark.parametrize("instance", ["", WORLD.server])
def test_an_interface_of_a_cloud_service_is_never_changed_with_or_without_an_instance(
    emulator, cloud, instance
):
    cloud.interface(SERVICE).instance = instance
    told = refusals(emulator, APP)[SERVICE]
    assert told == "InvalidOperation.EniServiceManaged: service 1503405350102016 owns the interface"


def test_what_is_told_is_what_the_cloud_answers(emulator, cloud):
    """Every refusal that is told is one that the emulated cloud makes of the same change."""
    switch(
        emulator,
        locks={WORLD.server: ["security"]},
        interface_states={SECOND: "Detaching"},
    )
    add_interfaces(emulator, FREE, 1)
    provider = WORLD.connect(emulator)
    for group_id in (BOUND, APP):
        for one in provider.list_bindings([group_id]).value[group_id]:
            holder = Holder(one.kind, one.holder_id, one.instance_id)
            before = provider.read_holder(holder)
            if not one.change_refusal:
                continue
            with pytest.raises(CloudError) as caught:
                provider.set_groups(holder, before, (FREE,), token="")
            assert whole_english(one.change_refusal).startswith(f"{caught.value.code}: ")


def test_the_kinds_of_groups_are_told_apart_where_they_must_not_be_mixed(emulator):
    groups = WORLD.connect(emulator).read_groups([FREE, "sg-bp1lck00000000000007"]).value
    assert [one.kind for one in groups.values()] == ["basic", "advanced"]


@pytest.mark.parametrize(
    ("after", "retired", "call"),
    [
        ((BOUND, APP, FREE), ["JoinSecurityGroup"], "ModifyInstanceAttribute"),
        ((APP,), ["LeaveSecurityGroup"], "ModifyInstanceAttribute"),
    ],
)
def test_where_a_deprecated_call_is_retired_the_whole_list_is_sent(emulator, after, retired, call):
    provider = WORLD.connect(switch(emulator, absent_actions=retired))
    provider.set_groups(Holder("instance", WORLD.server), (BOUND, APP), after, token="")
    sent = [one.action for one in emulator.requests if not one.action.startswith("Describe")]
    assert sent == [*retired, call]
    assert set(emulator.state.clouds[0].interfaces_of(WORLD.server)[0].groups) == set(after)

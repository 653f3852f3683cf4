"""The bindings of a group in the emulated ECS, and the number of its instances."""

from __future__ import annotations

import json

import pytest

from sgguard.emulator.faults import Fault
from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Binding
from sgguard.model.sentence import said
from tests.worlds.alibaba import WORLD, actions, add_interfaces, switch

FREE, APP, BOUND = WORLD.free, WORLD.referrer_in, WORLD.bound
INSTANCES, INTERFACES = "DescribeInstances", "DescribeNetworkInterfaces"


@pytest.fixture
def emulator():
    return WORLD.emulator()


def bindings(emulator, group_id):
    return WORLD.connect(emulator).list_bindings([group_id]).value[group_id]


def count(emulator, group_id=FREE):
    return WORLD.connect(emulator).count_instances([group_id]).value[group_id]


@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_a_group_on_one_kind_of_interface_only_is_carried(emulator, kind):
    add_interfaces(emulator, FREE, 1, kind=kind)
    (found,) = bindings(emulator, FREE)
    assert found.instance_id == f"i-bp1{kind}000000000"


def test_an_interface_of_a_cloud_service_is_a_binding_with_its_owner(emulator):
    cloud = emulator.state.clouds[0]
    next(i for i in cloud.interfaces if i.managed_by).groups = [FREE]
    assert bindings(emulator, FREE) == (
        Binding(
            "interface",
            "eni-bp1managed00000009",
            owner="service 1503405350102016",
            other_group_ids=(),
            change_refusal=said("refusal.service-managed", owner="service 1503405350102016"),
        ),
    )


def test_a_holder_names_its_other_groups(emulator):
    """Leaving its last group is refused: InstanceLastSecurityGroup."""
    instance, interface = bindings(emulator, BOUND)
    assert instance.other_group_ids == (APP,)
    assert interface.other_group_ids == ()


def test_a_holder_whose_groups_are_not_told_does_not_have_none(emulator):
    body = {"NextToken": "", "Instances": {"Instance": [{"InstanceId": "i-1"}]}}
    emulator.faults.append(Fault("garbage", action=INSTANCES, body=json.dumps(body)))
    assert bindings(emulator, FREE) == (
        Binding("instance", "i-1", instance_id="i-1", other_group_ids=None),
    )


def test_thousands_of_instances_are_counted_in_two_calls_and_one_for_the_kind_of_group(emulator):
    add_interfaces(emulator, FREE, 3000)
    add_interfaces(emulator, FREE, 1, kind="secondary", instance="i-bp1primary000000000")
    assert count(emulator) == 3000
    assert actions(emulator) == [INSTANCES, INSTANCES, INTERFACES, "DescribeSecurityGroups"]


def test_an_instance_that_carries_the_group_twice_counts_once(emulator):
    add_interfaces(emulator, FREE, 150)
    add_interfaces(emulator, FREE, 2, kind="secondary", instance="i-bp1primary000000000")
    add_interfaces(emulator, FREE, 1, kind="secondary", instance="i-bp1primary000000149")
    add_interfaces(emulator, FREE, 120, kind="secondary")
    cloud = emulator.state.clouds[0]
    assert count(emulator) == len(cloud.instances_with(FREE)) == 270


@pytest.mark.parametrize(
    "quirks", [{"paging": "numbers"}, {"format": "xml"}, {"page_max": 3}, {"token_total": 1}]
)
def test_a_count_is_the_same_on_every_server(emulator, quirks):
    add_interfaces(emulator, FREE, 25)
    add_interfaces(emulator, FREE, 13, kind="secondary")
    assert count(switch(emulator, **quirks)) == 38


@pytest.mark.parametrize("total", [None, "many", 0])
def test_a_total_that_is_not_told_or_untrue_is_counted_by_listing(emulator, total):
    add_interfaces(emulator, FREE, 25)
    body = {"TotalCount": total, "Instances": {"Instance": [{"InstanceId": "i-1"}]}}
    emulator.faults.append(Fault("garbage", action=INSTANCES, body=json.dumps(body)))
    assert count(emulator) == 25


@pytest.mark.parametrize("interface", [{}, {"InstanceId": None}, {"InstanceId": ""}])
def test_an_attached_interface_without_an_instance_is_a_holder_and_counts(emulator, interface):
    """ "Interfaces that other cloud services control return no instance id"."""
    row = {"NetworkInterfaceId": "eni-1", "Status": "InUse", **interface}
    body = {"NextToken": "", "NetworkInterfaceSets": {"NetworkInterfaceSet": [row]}}
    emulator.faults.append(Fault("garbage", action=INTERFACES, body=json.dumps(body), count=9))
    seen = WORLD.connect(emulator).list_bindings([FREE])
    assert seen.value[FREE] == (Binding("interface", "eni-1", other_group_ids=None),)
    assert seen.unseen == ()
    assert count(emulator) == 1


def test_an_instance_id_that_is_none_is_not_counted_as_none(emulator):
    row = {"NetworkInterfaceId": "eni-1", "Status": "InUse", "InstanceId": ["i-1"]}
    body = {"NextToken": "", "NetworkInterfaceSets": {"NetworkInterfaceSet": [row]}}
    emulator.faults.append(Fault("garbage", action=INTERFACES, body=json.dumps(body), count=9))
    seen = WORLD.connect(emulator).count_instances([FREE])
    assert seen.value == {}
    assert [(one.code, one.group_id) for one in seen.unseen] == [("unknown-shape", FREE)]


@pytest.mark.parametrize("managed", [{"ServiceManaged": True}, {"Status": "Available"}])
def test_an_interface_of_a_service_or_without_an_owner_needs_no_instance(emulator, managed):
    row = {"NetworkInterfaceId": "eni-1", "Status": "InUse", **managed}
    body = {"NextToken": "", "NetworkInterfaceSets": {"NetworkInterfaceSet": [row]}}
    emulator.faults.append(Fault("garbage", action=INTERFACES, body=json.dumps(body), count=9))
    assert count(emulator) == 0


@pytest.mark.parametrize("managed", [None, "many", 7, [], {}])
def test_a_group_with_a_malformed_owner_is_not_treated_as_unowned(emulator, managed):
    row = {"SecurityGroupId": FREE, "ServiceManaged": managed}
    body = {"NextToken": "", "SecurityGroups": {"SecurityGroup": [row]}}
    emulator.faults.append(Fault("garbage", action="DescribeSecurityGroups", body=json.dumps(body)))
    with pytest.raises(UnknownShapeError, match="ServiceManaged"):
        WORLD.connect(emulator).read_groups([FREE])


@pytest.mark.parametrize("name", [["shop"], {"0": "shop"}, 1.5])
def test_a_name_that_is_no_text_is_not_no_name(emulator, name):
    """A policy may protect a group by its name."""
    row = {"SecurityGroupId": FREE, "SecurityGroupName": name}
    body = {"NextToken": "", "SecurityGroups": {"SecurityGroup": [row]}}
    emulator.faults.append(Fault("garbage", action="DescribeSecurityGroups", body=json.dumps(body)))
    with pytest.raises(UnknownShapeError, match="SecurityGroupName"):
        WORLD.connect(emulator).read_groups([FREE])

"""What the emulated ECS answers without a permission, and other answers of other servers."""

from __future__ import annotations

import pytest

from sgguard.errors import ApiAbsentError, CloudError, ForbiddenError
from tests.worlds.alibaba import WORLD, switch

LISTS = {
    "DescribeSecurityGroups": ("SecurityGroups", "SecurityGroup"),
    "DescribeInstances": ("Instances", "Instance"),
    "DescribeNetworkInterfaces": ("NetworkInterfaceSets", "NetworkInterfaceSet"),
}
OF_ONE = {
    "DescribeSecurityGroupAttribute": {"SecurityGroupId": WORLD.free},
    "DescribeSecurityGroupReferences": {"SecurityGroupId.1": WORLD.free},
}
DRY = ["DescribeSecurityGroups", "DescribeInstances"]


@pytest.fixture
def emulator():
    return WORLD.emulator()


def ask(emulator, action, **params):
    return WORLD.connect(emulator).ecs.read(action, params).fields


def deny(emulator, action):
    emulator.state.clouds[0].accounts[0].denied = [action]


@pytest.mark.parametrize("shape", ["json", "xml"])
@pytest.mark.parametrize("action", LISTS)
def test_a_denied_list_is_empty_and_ends(emulator, action, shape):
    deny(emulator, action)
    fields = ask(switch(emulator, format=shape), action)
    container, item = LISTS[action]
    assert fields[container] == {item: []}
    assert (fields["NextToken"], str(fields["TotalCount"])) == ("", "0")


@pytest.mark.parametrize("action", LISTS)
@pytest.mark.parametrize("as_list", [True, False])
def test_a_denied_list_is_refused_on_a_newer_server(emulator, action, as_list):
    deny(emulator, action)
    switch(emulator, denied_queries=[action] if as_list else "forbidden")
    with pytest.raises(ForbiddenError, match=r"Forbidden\.RAM"):
        ask(emulator, action)


@pytest.mark.parametrize("action", OF_ONE)
def test_a_query_about_one_group_is_refused_unless_the_server_refuses_nothing(emulator, action):
    deny(emulator, action)
    with pytest.raises(ForbiddenError):
        ask(emulator, action, **OF_ONE[action])
    switch(emulator, denied_queries="empty")
    assert WORLD.free not in str(ask(emulator, action, **OF_ONE[action]))


@pytest.mark.parametrize("action", DRY)
def test_a_dry_run_tells_the_truth(emulator, action):
    with pytest.raises(CloudError, match="DryRunOperation"):
        ask(emulator, action, DryRun="true")
    deny(emulator, action)
    with pytest.raises(ForbiddenError):
        ask(emulator, action, DryRun="true")
    assert ask(switch(emulator, dry_run="absent"), action, DryRun="true")


def test_an_action_that_is_not_offered_is_said_to_be_none(emulator):
    switch(emulator, absent_actions=["DescribeInstances"])
    with pytest.raises(ApiAbsentError, match=r"InvalidAction\.NotFound"):
        ask(emulator, "DescribeInstances")


def test_page_numbers_are_refused_where_they_are_retired(emulator):
    switch(emulator, paging="tokens")
    with pytest.raises(ApiAbsentError, match="PageNumberAndPageSize"):
        ask(emulator, "DescribeSecurityGroups", PageNumber="1")
    assert ask(emulator, "DescribeSecurityGroups", MaxResults="10")


def test_a_group_counts_its_private_addresses_on_request(emulator):
    def counted(**more):
        rows = ask(emulator, "DescribeSecurityGroups", **more)["SecurityGroups"]["SecurityGroup"]
        return {row["SecurityGroupId"]: row.get("EcsCount") for row in rows}

    assert counted(IsQueryEcsCount="true")[WORLD.bound] == 2
    assert counted(IsQueryEcsCount="true")[WORLD.free] == 0
    assert set(counted().values()) == {None}
    switch(emulator, address_count="absent")
    assert set(counted(IsQueryEcsCount="true").values()) == {None}


def test_interfaces_of_a_group_that_does_not_exist_are_refused(emulator):
    with pytest.raises(CloudError, match=r"InvalidSecurityGroupId\.NotFound"):
        ask(emulator, "DescribeNetworkInterfaces", SecurityGroupId=WORLD.missing)

"""Lists of the emulated ECS are read to their end, by whatever pages the server knows."""

from __future__ import annotations

import json

import pytest

from sgguard.emulator.faults import Fault
from sgguard.errors import ApiAbsentError, UnknownShapeError
from sgguard.providers.alibaba.listing import (
    GROUPS,
    INSTANCES,
    INTERFACES,
    RULES,
    count_all,
    read_all,
)
from tests.worlds.alibaba import (
    WORLD,
    actions,
    add_interfaces,
    add_referrers,
    add_strangers,
    switch,
)

CROWD = 130
FREE, WEB = WORLD.free, WORLD.referenced


@pytest.fixture
def emulator():
    emulator = WORLD.emulator()
    add_strangers(emulator, CROWD)
    add_interfaces(emulator, FREE, CROWD)
    add_interfaces(emulator, FREE, CROWD, kind="secondary")
    add_referrers(emulator, WEB, 1, rules=CROWD)
    return emulator


LISTS = {
    "groups": (GROUPS, {}, CROWD + 9),
    "instances": (INSTANCES, {"SecurityGroupId": FREE}, CROWD),
    "interfaces": (INTERFACES, {"SecurityGroupId": FREE}, CROWD),
    "rules": (RULES, {"SecurityGroupId": "sg-bp1many0000000000000"}, CROWD),
}
NAMED = [name for name in LISTS if name != "rules"]


def read(emulator, name):
    listing, params, _ = LISTS[name]
    return read_all(WORLD.connect(emulator).ecs, listing, params).rows


def garble(emulator, name, **members):
    listing = LISTS[name][0]
    body = {listing.container: {listing.item: []}, **members}
    emulator.faults.append(Fault("garbage", action=listing.action, body=json.dumps(body)))


@pytest.mark.parametrize(
    "quirks",
    [
        {},
        {"format": "xml"},
        {"page_max": 7},
        {"page_max": 7, "format": "xml"},
        {"page_max": 7, "empty_pages": True},
        {"page_max": 7, "omits_empty_token": True},
        {"token_total": 0},
        {"token_total": 3},
        {"token_total": 9999},
        {"paging": "numbers"},
        {"paging": "numbers", "format": "xml"},
    ],
    ids=lambda quirks: " ".join(f"{k}={v}" for k, v in quirks.items()) or "as documented",
)
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.sampled(64)
def test_a_list_is_whole_and_has_each_entry_once(emulator, name, quirks):
    rows = read(switch(emulator, **quirks), name)
    listing, _, count = LISTS[name]
    assert len(rows) == count
    key = listing.key or "SecurityGroupRuleId"
    assert len({row[key] for row in rows}) == count


@pytest.mark.parametrize("endless", [True, "empty"])
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.sampled(8)
def test_a_list_that_never_ends_is_refused(emulator, name, endless):
    with pytest.raises(UnknownShapeError, match="does not end"):
        read(switch(emulator, endless_pages=endless), name)
    assert len(emulator.requests) < 50


@pytest.mark.parametrize("token", [{}, {"NextToken": None}], ids=["absent", "null"])
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(6)
def test_a_page_that_lost_its_token_is_not_the_last_one(emulator, name, token):
    garble(emulator, name, **token)
    assert len(read(emulator, name)) == LISTS[name][2]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(2)
def test_a_list_that_ends_below_the_total_beside_it_is_read_by_number(emulator, name):
    garble(emulator, name, NextToken="", TotalCount=LISTS[name][2])
    assert len(read(emulator, name)) == LISTS[name][2]


@pytest.mark.parametrize("count", [0, 10, 499, 500, 1000, 1200])
@pytest.mark.sampled(6)
def test_rules_without_a_page_token_are_whole_however_many(emulator, count):
    """ "A response without NextToken is the last page": there are no page numbers for rules."""
    rules = [{"Direction": "ingress", "SourceCidrIp": "10.0.0.0/8"}] * count
    garble(emulator, "rules", Permissions={"Permission": rules})
    assert len(read(emulator, "rules")) == count


@pytest.mark.parametrize("quirks", [{"omits_empty_token": True}, {}])
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(4)
def test_a_list_ends_where_page_numbers_are_retired(emulator, name, quirks):
    """Also with fewer entries than were asked for, and with none at all."""
    switch(emulator, paging="tokens", **quirks)
    assert len(read(emulator, name)) == LISTS[name][2]
    switch(emulator, page_max=7)
    assert len(read(emulator, name)) == LISTS[name][2]
    listing, params, _ = LISTS[name]
    none = {"groups": {"SecurityGroupIds": '["sg-none"]'}}.get(name, {"SecurityGroupId": WEB})
    assert read_all(WORLD.connect(emulator).ecs, listing, params | none).rows == ()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(4)
def test_a_list_that_ends_below_its_total_is_refused_where_page_numbers_are_retired(emulator, name):
    switch(emulator, paging="tokens", omits_empty_token=True)
    garble(emulator, name, TotalCount=LISTS[name][2])
    with pytest.raises(ApiAbsentError, match="PageNumberAndPageSize"):
        read(emulator, name)


@pytest.mark.parametrize("name", ["instances", "groups"])
@pytest.mark.sampled(2)
def test_a_count_is_made_by_listing_where_page_numbers_are_retired(emulator, name):
    listing, params, count = LISTS[name]
    switch(emulator, paging="tokens")
    assert count_all(WORLD.connect(emulator).ecs, listing, params) == count


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(4)
def test_a_single_page_without_token_and_total_is_the_last_one(emulator, name):
    for _ in range(2):
        garble(emulator, name)
    assert read(emulator, name) == ()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(2)
def test_a_page_as_long_as_the_servers_own_page_size_is_not_the_last_one(emulator, name):
    """A server from before tokens ignores the size that is asked for, and tells its own."""
    listing = LISTS[name][0]
    page = {listing.item: [{listing.key: f"x-{n}"} for n in range(10)]}
    body = json.dumps({listing.container: page, "PageSize": 10})
    emulator.faults.append(Fault("garbage", action=listing.action, body=body, count=2))
    with pytest.raises(UnknownShapeError, match="neither a page token nor a total"):
        read(emulator, name)


@pytest.mark.parametrize("token", [0, 7, [], ["x"], {}, {"a": 1}, False])
@pytest.mark.sampled(4)
def test_a_token_of_another_kind_is_refused(emulator, token):
    garble(emulator, "groups", NextToken=token)
    with pytest.raises(UnknownShapeError):
        read(emulator, "groups")


@pytest.mark.parametrize("total", ["many", "", True, -1])
@pytest.mark.sampled(3)
def test_a_list_with_an_unreadable_total_is_refused(emulator, total):
    for _ in range(2):
        garble(emulator, "instances", TotalCount=total)
    with pytest.raises(UnknownShapeError, match="neither a page token nor a total"):
        read(emulator, "instances")


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.sampled(2)
def test_page_numbers_that_lead_nowhere_are_refused(emulator, name):
    """A server that tells the same page whatever its number."""
    listing, _, _ = LISTS[name]
    page = {listing.item: [{listing.key: "the same"}]}
    body = json.dumps({listing.container: page, "TotalCount": 3})
    emulator.faults.append(Fault("garbage", action=listing.action, body=body, count=9))
    with pytest.raises(UnknownShapeError, match="says 3 entries and ends after 1"):
        read(emulator, name)


def test_an_entry_without_its_id_is_refused(emulator):
    body = {"NextToken": "", "Instances": {"Instance": [{"Status": "Running"}, {}]}}
    emulator.faults.append(Fault("garbage", action="DescribeInstances", body=json.dumps(body)))
    with pytest.raises(UnknownShapeError, match="InstanceId"):
        read(emulator, "instances")


def test_a_list_that_ends_as_documented_is_asked_for_once(emulator):
    read(emulator, "rules")
    read(emulator, "interfaces")
    assert actions(emulator) == ["DescribeNetworkInterfaces", "DescribeSecurityGroupAttribute"]


XML_WITH_MORE = """<?xml version='1.0' encoding='UTF-8'?>
<DescribeInstancesResponse><NextToken/><Instances><Instance>
<InstanceId>i-1</InstanceId><Status>Running</Status>
<PublicIpAddress><IpAddress>1.1.1.1</IpAddress><IpAddress>1.1.1.2</IpAddress></PublicIpAddress>
<VpcAttributes><VpcId>vpc-1</VpcId><PrivateIpAddress><IpAddress>10.0.0.1</IpAddress>
<IpAddress>10.0.0.2</IpAddress></PrivateIpAddress></VpcAttributes>
<OperationLocks><LockReason>a</LockReason><LockReason>b</LockReason></OperationLocks>
<NetworkInterfaces><NetworkInterface><PrivateIpSets><PrivateIpSet/><PrivateIpSet/></PrivateIpSets>
<Ipv6Sets><Ipv6Set/><Ipv6Set/></Ipv6Sets></NetworkInterface></NetworkInterfaces>
<SecurityGroupIds><SecurityGroupId>sg-1</SecurityGroupId><SecurityGroupId>sg-2</SecurityGroupId>
</SecurityGroupIds></Instance></Instances></DescribeInstancesResponse>"""


def test_unread_xml_lists_do_not_hide_the_instance(emulator):
    emulator.faults.append(Fault("garbage", action="DescribeInstances", body=XML_WITH_MORE))
    (row,) = read(emulator, "instances")
    assert row["SecurityGroupIds"] == {"SecurityGroupId": ["sg-1", "sg-2"]}
    assert row["VpcAttributes"]["VpcId"] == "vpc-1"

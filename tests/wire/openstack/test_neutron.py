"""Neutron's rows as values: recorded responses byte for byte, malformed ones refused."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Direction
from sgguard.wire.openstack import neutron
from sgguard.wire.shape import Shape
from tests.reference import FIXTURES

SHAPE = Shape("openstack", "a call")

RULE = {
    "id": "039f363c",
    "project_id": "c8f1820c",
    "security_group_id": "984c55dd",
    "ethertype": "IPv4",
    "direction": "ingress",
    "protocol": "tcp",
    "port_range_min": 5432,
    "port_range_max": 5432,
    "remote_ip_prefix": None,
    "remote_group_id": "1dd6e298",
    "description": "",
}
PORT = {"id": "7ceea7a1", "security_groups": ["a", "b"], "device_id": "988a5931"}


def fixture(name):
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"the recorded answer {name} is not here")
    return json.loads(path.read_bytes())


def recorded(name, part):
    return [row["response"] for row in fixture(name) if part in row["uri"]]


DOCUMENTED = {
    "security-groups_security-groups-list-response": 1,
    "security-groups_security-group-show-response": 1,
    "security-groups_security-group-create-response": 1,
    "security-groups_security-group-update-response": 1,
    "security-groups_security-group-rules-list-response": 4,
    "security-groups_security-group-rule-show-response": 1,
    "security-groups_security-group-rule-create-response": 1,
    "security-groups_security-group-rule-bulk-create-response": 2,
    "ports_ports-list-response": 2,
    "ports_ports-bind-list-response": 2,
    "ports_ports-bulk-create-response": 2,
    "ports_port-show-response": 1,
    "ports_port-create-response": 1,
    "ports_port-update-response": 1,
    "ports_port-bind-show-response": 1,
    "ports_port-bind-create-response": 1,
    "ports_port-bind-update-response": 1,
}
PARSERS = {
    "security_group": neutron.parse_group,
    "security_group_rule": neutron.parse_rule,
    "port": neutron.parse_port,
}


@pytest.mark.parametrize("name", DOCUMENTED, ids=str)
def test_every_row_of_a_documented_answer_is_read(name):
    ((key, value),) = fixture(f"openstack_apiref/{name}.json").items()
    rows = value if isinstance(value, list) else [value]
    parse = PARSERS[key.removesuffix("s")]
    assert len([parse(row, SHAPE) for row in rows]) == DOCUMENTED[name]


def test_the_documented_default_group_has_its_four_rules_ingress_first():
    body = fixture("openstack_apiref/security-groups_security-group-show-response.json")
    group = neutron.parse_group(body["security_group"], SHAPE)
    assert (group.name, group.is_default, group.is_shared) == ("default", True, False)
    assert [rule.direction for rule in group.rules] == [Direction.INGRESS] * 2 + [
        Direction.EGRESS
    ] * 2
    assert {rule.peer_group for rule in group.rules[:2]} == {group.group_id}


def test_a_documented_rule_whose_peer_was_left_out_is_refused():
    # The documentation's own sample of a bulk answer has the key; one without must not parse.
    body = fixture("openstack_apiref/security-groups_security-group-rule-bulk-create-response.json")
    rows = [neutron.parse_rule(row, SHAPE) for row in body["security_group_rules"]]
    assert len(rows) == len(body["security_group_rules"])
    with pytest.raises(UnknownShapeError, match="remote_group_id"):
        neutron.parse_rule(
            {k: v for k, v in body["security_group_rules"][0].items() if k != "remote_group_id"},
            SHAPE,
        )


def test_the_recorded_groups_of_a_devstack_are_read_with_their_rules():
    (body,) = recorded("openstack/test_securitygroup_query.json", "/v2.0/security-groups")
    groups = [neutron.parse_group(row, SHAPE) for row in body["security_groups"]]
    assert len(groups) == len(body["security_groups"]) == 2
    assert [len(g.rules) for g in groups] == [
        len(row["security_group_rules"]) for row in body["security_groups"]
    ]


def test_the_recorded_ports_of_a_devstack_belong_to_servers():
    name = "openstack/test_server_filter_securitygroup_open_to_internet.json"
    bodies = recorded(name, "/ports.json")
    ports = [neutron.parse_port(row, SHAPE) for body in bodies for row in body["ports"]]
    assert len(ports) == 2
    assert [port.instance_id for port in ports] == [port.device_id for port in ports]
    assert all(port.group_ids for port in ports)


def test_the_documented_quotas_are_read_unlimited_included():
    body = fixture("openstack_apiref/quotas_quotas-list-for-project-response.json")
    quotas = neutron.parse_quotas(body, SHAPE)
    assert quotas["security_group"] == neutron.Quota(10)
    assert quotas["security_group_rule"] == neutron.Quota(100)
    assert quotas["rbac_policy"] == neutron.Quota(None)
    assert len(quotas) == 9


def test_quota_details_bring_the_usage():
    body = {"quota": {"security_group": {"limit": 10, "used": 3, "reserved": 0}}}
    assert neutron.parse_quotas(body, SHAPE) == {"security_group": neutron.Quota(10, 3)}


@pytest.mark.parametrize(
    ("change", "ports"),
    [
        ({}, "5432"),
        ({"port_range_max": 5440}, "5432-5440"),
        ({"port_range_min": None, "port_range_max": None}, "any"),
        ({"port_range_min": None}, "5432"),
        ({"protocol": "icmp", "port_range_min": 8, "port_range_max": None}, "8"),
    ],
)
def test_ports_are_written_as_a_person_would(change, ports):
    assert neutron.parse_rule(RULE | change, SHAPE).rule.ports == ports


@pytest.mark.parametrize(
    ("change", "peer_group", "peer"),
    [
        ({}, "1dd6e298", ""),
        ({"remote_group_id": None, "remote_ip_prefix": "10.0.0.0/8"}, "", "10.0.0.0/8"),
        ({"remote_group_id": None}, "", "0.0.0.0/0"),
        ({"remote_group_id": None, "ethertype": "IPv6"}, "", "::/0"),
        ({"remote_group_id": None, "remote_address_group_id": "a1"}, "", "address group a1"),
    ],
)
def test_the_other_end_is_a_group_or_says_what_it_is(change, peer_group, peer):
    rule = neutron.parse_rule(RULE | change, SHAPE).rule
    assert (rule.peer_group, rule.peer) == (peer_group, peer)


@pytest.mark.parametrize(
    ("protocol", "read"), [("tcp", "tcp"), (None, "any"), ("TCP", "tcp"), (132, "132"), ("6", "6")]
)
def test_a_protocol_is_a_name_or_a_number(protocol, read):
    assert neutron.parse_rule(RULE | {"protocol": protocol}, SHAPE).rule.protocol == read


@pytest.mark.parametrize(
    ("owner", "kind", "instance"),
    [
        ("compute:nova", "port", "988a5931"),
        ("compute:az-2", "port", "988a5931"),
        ("", "port", ""),
        ("network:dhcp", "dhcp", ""),
        ("network:router_interface", "router", ""),
        ("network:router_interface_distributed", "router", ""),
        ("network:ha_router_replicated_interface", "router", ""),
        ("neutron:LOADBALANCERV2", "load-balancer", ""),
        ("neutron:VIP_PORT", "load-balancer", ""),
        ("Octavia", "load-balancer", ""),
        ("network:nat_gateway", "nat-gateway", ""),
        ("trunk:subport", "port", ""),
    ],
)
def test_what_is_behind_a_port_is_told_by_its_owner(owner, kind, instance):
    binding = neutron.binding_of(neutron.parse_port(PORT | {"device_owner": owner}, SHAPE))
    assert (binding.kind, binding.instance_id) == (kind, instance)
    assert (binding.holder_id, binding.owner) == ("7ceea7a1", owner)


ODD = {
    "rule without id": (neutron.parse_rule, {k: v for k, v in RULE.items() if k != "id"}),
    "rule of no group": (neutron.parse_rule, RULE | {"security_group_id": None}),
    "rule without the key of its peer": (
        neutron.parse_rule,
        {k: v for k, v in RULE.items() if k != "remote_group_id"},
    ),
    "rule of no direction": (neutron.parse_rule, RULE | {"direction": "sideways"}),
    "rule with a peer that is no text": (neutron.parse_rule, RULE | {"remote_group_id": []}),
    "rule with ports that are texts": (neutron.parse_rule, RULE | {"port_range_min": "any"}),
    "rule with a true port": (neutron.parse_rule, RULE | {"port_range_min": True}),
    "group without id": (neutron.parse_group, {"name": "web"}),
    "group with null rules in a list": (
        neutron.parse_group,
        {"id": "x", "name": "", "security_group_rules": [None]},
    ),
    "group whose sharing is a text": (
        neutron.parse_group,
        {"id": "x", "name": "", "shared": "no"},
    ),
    "group without a name, which may be the default one": (neutron.parse_group, {"id": "x"}),
    "group with a null name": (neutron.parse_group, {"id": "x", "name": None}),
    "port without groups": (neutron.parse_port, {"id": "p"}),
    "port with null groups": (neutron.parse_port, PORT | {"security_groups": None}),
    "port with groups that are objects": (neutron.parse_port, PORT | {"security_groups": [{}]}),
    "quota missing": (neutron.parse_quotas, {}),
    "quota null": (neutron.parse_quotas, {"quota": None}),
    "quota that is a text": (neutron.parse_quotas, {"quota": {"security_group": "ten"}}),
    "quota without usage": (neutron.parse_quotas, {"quota": {"port": {"limit": 1}}}),
    "not an object": (neutron.parse_group, ["x"]),
}


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_row_is_an_unknown_shape(odd):
    parse, row = ODD[odd]
    with pytest.raises(UnknownShapeError):
        parse(row, SHAPE)


def test_a_group_may_have_an_empty_name():
    assert neutron.parse_group({"id": "x", "name": ""}, SHAPE).is_default is False


@pytest.mark.parametrize(
    ("told", "is_shared"),
    [({}, False), ({"shared": False}, False), ({"shared": True}, True), ({"shared": None}, True)],
    ids=["older cloud", "not shared", "shared", "null, which says nothing"],
)
def test_a_group_is_shared_unless_the_cloud_says_it_is_not(told, is_shared):
    assert neutron.parse_group({"id": "x", "name": "web", **told}, SHAPE).is_shared is is_shared


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*RULE, "name", "shared", "security_groups"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_is_read_or_refused_and_nothing_else(value):
    for parse in (neutron.parse_rule, neutron.parse_group, neutron.parse_port):
        with suppress(UnknownShapeError):
            parse(value, SHAPE)

"""A rule as a list tells it and as a request says it again: nothing is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.model.change import content
from sgguard.wire.openstack.neutron.rule import parse_rule, rule_body
from sgguard.wire.shape import Shape

from .test_neutron import PORT, RULE, fixture, neutron

SHAPE = Shape("openstack", "a call")
CLOUDS_OWN = {
    "normalized_cidr": "10.0.0.0/24",
    "belongs_to_default_sg": False,
    "revision_number": 3,
    "created_at": "2026-11-22T01:37:42Z",
    "tenant_id": "c8f1820c",
}

PORTS = st.none() | st.integers(0, 65535)
ROWS = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["ingress", "egress"]),
        "ethertype": st.sampled_from(["IPv4", "IPv6"]),
        "protocol": st.sampled_from([None, "tcp", "udp", "icmp", "ipv6-icmp", "132", "6"]),
        "port_range_min": PORTS,
        "port_range_max": PORTS,
        "remote_ip_prefix": st.sampled_from([None, "10.0.0.5/24", "0.0.0.0/0", "::/0"]),
        "remote_group_id": st.sampled_from([None, "1dd6e298"]),
        "remote_address_group_id": st.sampled_from([None, "a9baa1eb"]),
        "description": st.text(max_size=8),
    }
)


@given(ROWS)
def test_what_a_list_told_is_what_the_next_request_says(row):
    told = RULE | CLOUDS_OWN | row
    body = rule_body("984c55dd", parse_rule(told, SHAPE).rule)
    said = {name: value for name, value in row.items() if value not in (None, "")}
    assert body == {"security_group_id": "984c55dd", **said}


@given(ROWS)
def test_a_request_brings_back_an_equal_rule(row):
    rule = parse_rule(RULE | row, SHAPE).rule
    answer = {"id": "another", "remote_group_id": None, **rule_body("984c55dd", rule)}
    assert content(parse_rule(answer, SHAPE).rule) == content(rule)


def test_a_rule_with_another_peer_says_everything_else_as_before():
    rule = parse_rule(RULE, SHAPE).rule
    before, after = (
        rule_body("984c55dd", one) for one in (rule, replace(rule, peer_group="5b245c98"))
    )
    assert after == before | {"remote_group_id": "5b245c98"}


@pytest.mark.parametrize(
    ("change", "low_and_high"),
    [
        ({"port_range_min": 8, "port_range_max": None}, (8, None)),
        ({"port_range_min": 8, "port_range_max": 8}, (8, 8)),
        ({"port_range_min": 0, "port_range_max": 0}, (0, 0)),
    ],
    ids=["every code of a type", "one code", "the zeroth"],
)
def test_an_icmp_type_keeps_its_code_or_that_it_has_none(change, low_and_high):
    rule = parse_rule(RULE | {"protocol": "icmp"} | change, SHAPE).rule
    body = rule_body("984c55dd", rule)
    assert (body.get("port_range_min"), body.get("port_range_max")) == low_and_high


def test_a_rule_for_everywhere_is_told_from_one_that_names_nothing():
    nothing = parse_rule(RULE | {"remote_group_id": None}, SHAPE).rule
    everywhere = parse_rule(
        RULE | {"remote_group_id": None, "remote_ip_prefix": "0.0.0.0/0"}, SHAPE
    ).rule
    assert nothing.peer == everywhere.peer
    assert "remote_ip_prefix" not in rule_body("984c55dd", nothing)
    assert rule_body("984c55dd", everywhere)["remote_ip_prefix"] == "0.0.0.0/0"


def test_an_older_cloud_is_sent_no_name_it_does_not_know():
    names = set(rule_body("984c55dd", parse_rule(RULE, SHAPE).rule))
    assert not names & {"description", "remote_address_group_id", "normalized_cidr", "project_id"}


def test_the_documented_request_is_what_is_sent():
    folder = "openstack_apiref/security-groups_security-group-rule-"
    asked = fixture(f"{folder}create-request.json")["security_group_rule"]
    answer = fixture(f"{folder}create-response.json")["security_group_rule"]
    body = rule_body(answer["security_group_id"], parse_rule(answer, SHAPE).rule)
    assert {name: str(value) for name, value in body.items()} == {
        name: str(value) for name, value in asked.items() if name in body
    }
    assert set(asked) == set(body)


@pytest.mark.parametrize("revision", [None, "7", 7.5, True])
def test_a_revision_that_is_no_number_is_none(revision):
    odd = {"revision_number": revision}
    assert parse_rule(RULE | odd, SHAPE).revision is None
    assert neutron.parse_port(PORT | odd, SHAPE).revision is None


def test_revisions_are_kept():
    assert parse_rule(RULE | {"revision_number": 0}, SHAPE).revision == 0
    assert neutron.parse_port(PORT | {"revision_number": 12}, SHAPE).revision == 12


@pytest.mark.parametrize(
    ("stateful", "kind"), [(True, "stateful"), (None, None), (False, "stateless")], ids=str
)
def test_a_stateless_group_is_of_another_kind(stateful, kind):
    row = {"id": "1dd6e298", "name": "web", "stateful": stateful}
    assert neutron.parse_group(row, SHAPE).kind == kind


def test_a_cloud_without_stateless_groups_has_groups_of_one_kind():
    assert neutron.parse_group({"id": "1dd6e298", "name": "web"}, SHAPE).kind == ""

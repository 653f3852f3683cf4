"""openstacksdk makes the same changes, and understands what the emulated OpenStack answers."""

from __future__ import annotations

import pytest

from tests.worlds import openstack as w

pytest.importorskip("openstack", reason="needs the extra `interop`")

from openstack import exceptions

from .test_openstacksdk import connect, emulator  # noqa: F401 - a fixture

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture
def network(connect):  # noqa: F811 - the fixture
    return connect().network


def test_it_makes_and_deletes_a_rule(network):
    rule = network.create_security_group_rule(
        security_group_id=w.FREE,
        direction="ingress",
        protocol="tcp",
        port_range_min=22,
        port_range_max=22,
        remote_group_id=w.WEB,
        description="made by the SDK",
    )
    assert (rule.ether_type, rule.remote_group_id, rule.revision_number) == ("IPv4", w.WEB, 0)
    assert network.get_security_group_rule(rule.id).description == "made by the SDK"
    network.delete_security_group_rule(rule.id, ignore_missing=False, if_revision=0)
    assert list(network.security_group_rules(security_group_id=w.FREE)) == []


def test_it_makes_many_rules_at_once(network):
    same = {"security_group_id": w.FREE, "direction": "egress", "ether_type": "IPv6"}
    made = network.create_security_group_rules(
        [same | {"protocol": protocol} for protocol in ("tcp", "udp")]
    )
    assert {rule.protocol for rule in made} == {"tcp", "udp"}


def test_a_second_rule_like_the_first_is_a_conflict(network):
    rule = {"security_group_id": w.FREE, "direction": "ingress"}
    network.create_security_group_rule(**rule)
    with pytest.raises(exceptions.ConflictException, match="already exists"):
        network.create_security_group_rule(**rule)


def test_it_makes_a_group_tags_it_and_finds_its_two_rules(network):
    group = network.create_security_group(name="new", description="by the SDK", stateful=False)
    assert [rule["direction"] for rule in group.security_group_rules] == ["egress", "egress"]
    network.set_tags(group, ["team=shop"])
    found = network.get_security_group(group.id)
    assert (found.tags, found.stateful, found.name) == (["team=shop"], False, "new")


def test_it_renames_a_group_and_not_the_default_one(network):
    assert network.update_security_group(w.FREE, name="spare").name == "spare"
    with pytest.raises(exceptions.ConflictException, match="default"):
        network.update_security_group(w.DEFAULT, name="spare")


def test_it_replaces_the_groups_of_a_port_at_the_revision_it_read(network):
    port = network.get_port(w.PORT)
    changed = network.update_port(port, if_revision=port.revision_number, security_groups=[w.FREE])
    assert changed.security_group_ids == [w.FREE]
    assert changed.revision_number == 2
    with pytest.raises(exceptions.HttpException, match="Constrained to 1") as caught:
        network.update_port(w.PORT, if_revision=1, security_groups=[w.WEB])
    assert caught.value.status_code == 412


def test_it_takes_a_group_off_a_server(connect):  # noqa: F811 - the fixture
    cloud = emulator()
    compute = connect(cloud).compute
    compute.add_security_group_to_server(w.SERVER, w.FREE)
    compute.remove_security_group_from_server(w.SERVER, w.BOUND)
    assert cloud.state.cloud("openstack").interface(w.PORT).groups == [w.FREE]


def test_a_used_up_quota_is_a_conflict(connect):  # noqa: F811 - the fixture
    network = connect(emulator(limits={"groups-per-project": 7})).network
    with pytest.raises(exceptions.ConflictException, match="Quota exceeded"):
        network.create_security_group(name="eighth")

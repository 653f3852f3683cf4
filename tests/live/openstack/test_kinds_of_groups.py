"""Stateful and stateless groups: Neutron puts only one kind on a port."""

from __future__ import annotations

import pytest

from sgguard.errors import PolicyError
from tests.live.openstack.build import MEMBER
from tests.live.openstack.deliveries import Deliveries


@pytest.fixture
def groups(stack):
    alpha = stack.client(MEMBER)
    return {
        "stateful": alpha.group("stateful"),
        "other": alpha.group("other"),
        "stateless": alpha.group("stateless", stateful=False),
    }


@pytest.fixture
def server(stack, groups):
    """A server whose port carries the stateful group."""
    (server, *_) = stack.servers[MEMBER]
    more = {"device_id": server, "device_owner": "compute:nova"}
    stack.client("admin").port(
        stack.networks[0], [groups["stateful"]], project_id=stack.project(MEMBER), **more
    )
    return server


def codes(found):
    return {one["code"] for one in found["reasons"] if one["effect"] == "block"}


def test_neutron_refuses_both_kinds_on_one_port(stack, groups):
    port = {
        "network_id": stack.networks[0],
        "security_groups": [groups["stateful"], groups["stateless"]],
    }
    response = stack.client(MEMBER).call("POST", "ports", {"port": port})
    assert response.status_code == 409
    assert response.json()["NeutronError"]["type"] == "SecurityGroupConflict"


def test_a_launch_with_both_kinds_is_blocked(stack, groups, tmp_path):
    deliveries = Deliveries(stack, MEMBER, tmp_path)
    assert deliveries.launch(groups["stateful"], groups["stateless"])["verdict"] == "block"
    assert deliveries.launch(groups["stateful"], groups["other"])["verdict"] == "allow"
    assert deliveries.launch(groups["stateless"])["verdict"] == "allow"


def test_a_group_of_the_other_kind_is_not_bound_to_a_server(stack, groups, server, tmp_path):
    deliveries = Deliveries(stack, MEMBER, tmp_path)
    assert deliveries.launch(groups["stateless"], instance_id=server)["verdict"] == "block"
    response = stack.client(MEMBER).act(server, {"addSecurityGroup": {"name": groups["stateless"]}})
    assert response.status_code >= 400


def test_a_group_of_the_same_kind_is_bound_to_a_server(stack, groups, server, tmp_path):
    found = Deliveries(stack, MEMBER, tmp_path).launch(groups["other"], instance_id=server)
    assert found["verdict"] == "allow"
    response = stack.client(MEMBER).act(server, {"addSecurityGroup": {"name": groups["other"]}})
    assert response.status_code == 202


MOVE = """
mode = "enforce"
[delete]
remedies = ["move"]
fallback_group = "{fallback}"
"""


def test_a_fallback_of_the_other_kind_is_not_planned(stack, groups, server, tmp_path):
    policy = MOVE.format(fallback=groups["stateless"])
    found = Deliveries(stack, MEMBER, tmp_path, policy).delete(groups["stateful"])
    assert found["verdict"] == "block"
    assert "replacement-unusable" in codes(found)


def test_a_fallback_of_the_same_kind_takes_over(stack, groups, server, tmp_path):
    policy = MOVE.format(fallback=groups["other"])
    found = Deliveries(stack, MEMBER, tmp_path, policy).delete(groups["stateful"])
    assert found["outcome"] == "remediated"
    assert carried(stack, server) == [groups["other"]]


def carried(stack, server):
    rows = stack.rows(
        "SELECT b.security_group_id FROM securitygroupportbindings AS b"
        " JOIN ports AS p ON p.id = b.port_id WHERE p.device_id = ?",
        server,
    )
    return sorted(row["security_group_id"] for row in rows)


BASELINE = """
mode = "enforce"
[launch]
baseline = ["{baseline}"]
remedies = ["bind"]
"""


def test_a_baseline_of_the_other_kind_is_not_bound(stack, groups, server, tmp_path):
    policy = BASELINE.format(baseline=groups["stateless"])
    found = Deliveries(stack, MEMBER, tmp_path, policy).launch(instance_id=server)
    assert found["verdict"] == "block"
    assert "replacement-unusable" in codes(found)
    assert carried(stack, server) == [groups["stateful"]]


def test_a_baseline_by_id_is_bound(stack, groups, server, tmp_path):
    policy = BASELINE.format(baseline=groups["other"])
    found = Deliveries(stack, MEMBER, tmp_path, policy).launch(instance_id=server)
    assert found["outcome"] == "remediated"
    assert carried(stack, server) == sorted([groups["stateful"], groups["other"]])


def test_a_policy_that_would_bind_a_baseline_by_name_is_refused(stack, groups, server, tmp_path):
    deliveries = Deliveries(stack, MEMBER, tmp_path, BASELINE.format(baseline="other"))
    with pytest.raises(PolicyError, match="baseline"):
        deliveries.launch(instance_id=server)


QUARANTINE = """
mode = "enforce"
[launch]
forbidden = ["{forbidden}"]
remedies = ["quarantine"]
quarantine_group = "{quarantine}"
"""


def test_a_quarantine_replaces_all_groups_whatever_its_kind_or_is_not_planned(
    stack, groups, server, tmp_path
):
    policy = QUARANTINE.format(forbidden=groups["stateful"], quarantine=groups["stateless"])
    found = Deliveries(stack, MEMBER, tmp_path, policy).launch(instance_id=server)
    # All groups at once: Neutron takes the other kind, because none of the first is left.
    expected = "stateless" if found["outcome"] == "remediated" else "stateful"
    assert carried(stack, server) == [groups[expected]]
    assert found["outcome"] in ("remediated", "unchanged"), found["note"]

"""What the provider and the emulator believe of Neutron, asked of Neutron itself."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.live.openstack.build import MEMBER
from tests.live.openstack.judge import delete
from tests.live.openstack.stack import PAGED


@pytest.fixture
def alpha(stack):
    return stack.client(MEMBER)


def code(response):
    return response.status_code, response.json()["NeutronError"]["type"]


def test_a_group_that_is_only_named_is_deleted_with_the_rules_that_name_it(stack, alpha):
    named, referrer = alpha.group("named"), alpha.group("referrer")
    rules = {(referrer, alpha.rule(referrer, named))}
    rules |= {(referrer, alpha.rule(referrer, named, direction="egress"))}
    done = delete(stack, alpha, named)
    assert done.is_done
    assert done.vanished == rules


def test_a_group_on_a_port_is_refused_until_the_port_is_gone(stack, alpha):
    group = alpha.group("web")
    port = alpha.port(stack.networks[0], [group])
    shown = alpha.call("GET", "ports", security_groups=group).json()["ports"]
    assert [one["id"] for one in shown] == [port]
    assert delete(stack, alpha, group).code == "SecurityGroupInUse"
    alpha.call("DELETE", f"ports/{port}")
    assert delete(stack, alpha, group).is_done


def test_a_group_of_another_project_is_not_found_and_a_shared_one_forbidden(stack, alpha):
    group = stack.client("beta").group("foreign")
    assert delete(stack, alpha, group).code == "SecurityGroupNotFound"
    stack.client("beta").share(group, alpha.project)
    assert delete(stack, alpha, group).code == "PolicyNotAuthorized"


def test_only_an_administrator_deletes_a_default_group(stack, alpha):
    query = "SELECT * FROM default_security_group WHERE project_id = ?"
    (row,) = stack.rows(query, alpha.project)
    group = row["security_group_id"]
    assert delete(stack, alpha, group).code == "SecurityGroupCannotRemoveDefault"
    assert delete(stack, stack.client("admin"), group).is_done


def test_a_rule_that_exists_and_an_unknown_filter_are_refused(alpha):
    group = alpha.group("web")
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    body = {"security_group_rule": rule}
    assert alpha.call("POST", "security-group-rules", body).status_code == 201
    response = alpha.call("POST", "security-group-rules", body)
    assert code(response) == (409, "SecurityGroupRuleExists")
    response = alpha.call("GET", "security-group-rules", nosuch="1")
    assert code(response) == (400, "HTTPBadRequest")


def test_a_stale_marker_of_ports_is_not_found(stack):
    alpha = stack.client(MEMBER, PAGED)
    assert code(alpha.call("GET", "ports", marker=str(uuid4()))) == (404, "PortNotFound")


def test_a_port_of_the_network_itself_carries_no_group(stack, alpha):
    body = {
        "network_id": stack.networks[0],
        "device_owner": "network:dhcp",
        "security_groups": [alpha.group("web")],
    }
    response = stack.client("admin").call("POST", "ports", {"port": body})
    assert code(response) == (400, "PortSecurityAndIPRequiredForSecurityGroups")


def test_a_rule_of_an_administrator_with_the_project_of_a_member_in_a_foreign_group_is_hidden(
    stack, alpha
):
    admin, beta = stack.client("admin"), stack.client("beta")
    group, foreign = alpha.group("web"), beta.group("foreign")
    rule = admin.rule(foreign, group, project_id=alpha.project)
    shown = alpha.call("GET", "security-group-rules", remote_group_id=group).json()
    assert shown["security_group_rules"] == []
    assert alpha.call("GET", f"security-group-rules/{rule}").status_code == 404
    assert (foreign, rule) in delete(stack, alpha, group).vanished

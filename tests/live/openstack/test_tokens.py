"""What a decision says for the token that asks, and about what its project may still make."""

from __future__ import annotations

import pytest

from tests.live.openstack.build import MEMBER
from tests.live.openstack.deliveries import Deliveries
from tests.live.openstack.judge import delete


@pytest.mark.parametrize("kind", ["free", "carried", "referenced", "default", "foreign"])
@pytest.mark.parametrize("who", ["admin", MEMBER, "alpha-reader"])
def test_the_forecast_of_a_delete_is_what_this_token_gets(stack, tmp_path, who, kind):
    group = group_of_kind(stack, kind)
    found = Deliveries(stack, who, tmp_path).delete(group)
    (expected,) = found["consequences"]
    done = delete(stack, stack.client(who), group)
    refused = f"{expected['kind']} {expected['error_code']}".strip()
    happened = f"will-be-refused {done.code}"
    if done.is_done:
        happened = "will-cascade" if done.vanished else "will-succeed"
    assert refused in (happened, "will-be-refused", "unknown")
    assert done.is_done == (not refused.startswith("will-be-refused"))


def group_of_kind(stack, kind):
    alpha = stack.client(MEMBER)
    if kind == "default":
        query = "SELECT * FROM default_security_group WHERE project_id = ?"
        (row,) = stack.rows(query, alpha.project)
        return row["security_group_id"]
    if kind == "foreign":
        beta = stack.client("beta")
        group = beta.group("foreign")
        beta.share(group, alpha.project)
        return group
    group = alpha.group(kind)
    if kind == "carried":
        alpha.port(stack.networks[0], [group])
    if kind == "referenced":
        alpha.rule(alpha.group("referrer"), group)
    return group


@pytest.mark.parametrize(("room", "verdict"), [(0, "block"), (1, "block"), (2, "allow")])
def test_a_launch_needs_room_in_the_quota_of_ports(stack, tmp_path, room, verdict):
    alpha = stack.client(MEMBER)
    group = alpha.group("web")
    alpha.port(stack.networks[0], [group])
    quota = {"quota": {"port": 1 + room}}
    response = stack.client("admin").call("PUT", f"quotas/{alpha.project}", quota)
    assert response.status_code == 200
    found = Deliveries(stack, MEMBER, tmp_path).launch(group, count=2)
    body = {"network_id": stack.networks[0], "security_groups": [group]}
    launched = [alpha.call("POST", "ports", {"port": body}).status_code for _ in range(2)]
    assert found["verdict"] == verdict
    assert (launched == [201, 201]) == (verdict == "allow")


def test_a_server_whose_port_has_no_address_takes_no_group(stack, tmp_path):
    admin, alpha = stack.client("admin"), stack.client(MEMBER)
    network = alpha.made("networks", {"network": {"name": "without a subnet"}})["id"]
    (server, *_) = stack.servers[MEMBER]
    more = {"device_id": server, "device_owner": "compute:nova", "project_id": alpha.project}
    body = {"network_id": network, "security_groups": [], **more}
    admin.made("ports", {"port": body})
    group = alpha.group("web")
    found = Deliveries(stack, MEMBER, tmp_path).launch(group, instance_id=server)
    response = alpha.act(server, {"addSecurityGroup": {"name": group}})
    assert (found["verdict"] == "allow") == (response.status_code == 202), response.text


def test_a_rule_of_an_administrator_in_an_own_group_is_seen(stack, tmp_path):
    alpha, admin = stack.client(MEMBER), stack.client("admin")
    group, referrer = alpha.group("web"), alpha.group("referrer")
    admin.rule(referrer, group)  # it belongs to the administrator's project
    found = Deliveries(stack, MEMBER, tmp_path).delete(group)
    assert found["verdict"] == "block"


def test_a_group_that_is_shared_with_the_project_of_the_server_may_be_bound(stack, tmp_path):
    alpha, beta = stack.client(MEMBER), stack.client("beta")
    (server, *_) = stack.servers[MEMBER]
    more = {"device_id": server, "device_owner": "compute:nova", "project_id": alpha.project}
    stack.client("admin").port(stack.networks[0], [], **more)
    group = beta.group("shared")
    beta.share(group, alpha.project)
    for who in (MEMBER, "admin"):
        found = Deliveries(stack, who, tmp_path / who).launch(group, instance_id=server)
        assert found["verdict"] == "allow", (who, found["reasons"])
    response = alpha.act(server, {"addSecurityGroup": {"name": group}})
    assert response.status_code == 202, response.text
